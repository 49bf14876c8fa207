"""The processing `data auto tagging`: tags images by measured properties.

It runs like any processing: four environment variables identify the lake and the job, the job lists its data, and
everything else uses the API. Data that are not readable images are named in the log and left untagged; the job fails if
no image could be read. A second run replaces the tags of the first.

Tags: ``landscape``, ``portrait`` or ``square``; ``dark`` or ``bright``, unless the brightness is normal; ``sharp`` or
``blurry``; ``has GPS``.
"""

import os
import sys
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from io import BytesIO
from typing import Any, BinaryIO

from PIL import Image, ImageFilter, ImageStat

from airflow_provider_lake.client import Client, Data, Datalake, LakeError
from airflow_provider_lake.media.images import (
    BROKEN_IMAGE_ERRORS,
    HEADER_BYTES,
    ImageUnsupportedError,
    NotAnImageError,
    formats_of,
    open_image,
    read_header,
)

# Images are measured at this many pixels along the longer side, so that measures do not depend on the resolution.
MEASURED_PIXELS = 512
MAX_DOWNLOADS = 4

_VOCABULARY = ("landscape", "portrait", "square", "dark", "bright", "sharp", "blurry", "has GPS")
_KERNEL_SIDE = 3
_LAPLACE = ImageFilter.Kernel((_KERNEL_SIDE, _KERNEL_SIDE), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The limits between tags; job parameters of the same names override them.

    :param dark_below: mean luminance, 0 to 255.
    :param bright_above: mean luminance, 0 to 255.
    :param sharp_above: variance of the Laplacian of the luminance.
    """

    dark_below: float = 60.0
    bright_above: float = 190.0
    sharp_above: float = 100.0


@dataclass(frozen=True, slots=True)
class Measures:
    """The measured properties of one image.

    :param width: pixels, as displayed.
    :param height: pixels, as displayed.
    :param brightness: mean luminance, 0 to 255.
    :param sharpness: variance of the Laplacian of the luminance.
    :param has_gps: whether its EXIF has latitude and longitude.
    """

    width: int
    height: int
    brightness: float
    sharpness: float
    has_gps: bool


class NotMeasurableError(Exception):
    """An image cannot be measured; the message states the reason."""


def measure(file: BinaryIO) -> Measures:
    """Measure an image.

    :raises NotMeasurableError: the file is not an image that Pillow can read, or it is too large to be opened safely.
    """
    try:
        return _measure(file)
    except (NotAnImageError, ImageUnsupportedError) as error:
        raise NotMeasurableError(str(error)) from error
    except (*BROKEN_IMAGE_ERRORS, OSError, zlib.error) as error:
        raise NotMeasurableError(f"{type(error).__name__}: {error}") from error


def _measure(file: BinaryIO) -> Measures:
    header = read_header(file)
    file.seek(0)
    formats = formats_of(file.read(HEADER_BYTES))
    file.seek(0)
    with open_image(file, formats, with_pixels=True) as image:
        # Decodes JPEGs at a reduced size where that is sufficient.
        image.draft("L", (MEASURED_PIXELS, MEASURED_PIXELS))
        gray = _luminance(image)
    gray.thumbnail((MEASURED_PIXELS, MEASURED_PIXELS))
    return Measures(
        width=header.width,
        height=header.height,
        brightness=ImageStat.Stat(gray).mean[0],
        sharpness=ImageStat.Stat(_edges(gray)).var[0],
        has_gps="latitude" in header.metadata,
    )


def _luminance(image: Image.Image) -> Image.Image:
    """Return the luminance of an image, 0 to 255; transparent pixels count as neither dark nor bright."""
    if image.mode.startswith("I"):
        return image.point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data:
        background = Image.new("RGBA", image.size, (128, 128, 128, 255))
        return Image.alpha_composite(background, image.convert("RGBA")).convert("L")
    return image.convert("L")


def _edges(gray: Image.Image) -> Image.Image:
    """Return the Laplacian of an image, without its border, which the filter does not change."""
    width, height = gray.size
    edges = gray.filter(_LAPLACE)
    return edges.crop((1, 1, width - 1, height - 1)) if min(width, height) > _KERNEL_SIDE else edges


def tags_for(measures: Measures, thresholds: Thresholds) -> list[str]:
    """Return the tags of an image."""
    if measures.width == measures.height:
        tags = ["square"]
    else:
        tags = ["landscape" if measures.width > measures.height else "portrait"]
    if measures.brightness < thresholds.dark_below:
        tags.append("dark")
    elif measures.brightness > thresholds.bright_above:
        tags.append("bright")
    tags.append("sharp" if measures.sharpness > thresholds.sharp_above else "blurry")
    if measures.has_gps:
        tags.append("has GPS")
    return tags


def main(environment: Mapping[str, str] = os.environ) -> int:
    """Run the job that the environment identifies; return the exit code."""
    with Client(
        environment["api_token"], organization_id=environment["organization_id"], host=environment["host"]
    ) as client:
        job = client.get_job_by_id(environment["job_id"])
        task = job.get_processing_task()
        thresholds = read_thresholds(task.parameters)
        datalake = client.get_datalake(id=task.datalake_id)
        images = [data for data in datalake.iter_data(ids=task.data_ids) if data.type == "IMAGE"]
        print(f"{len(images)} of {len(task.data_ids)} data are images; tagging them with {thresholds}", flush=True)
        tags = _measure_all(images, thresholds)
        for name in _VOCABULARY:
            _tag(datalake, name, tags)
    return 0 if tags else 1


def read_thresholds(parameters: Mapping[str, Any]) -> Thresholds:
    """Read a job's parameters.

    :raises SystemExit: a parameter is unknown or not a number; the message names it.
    """
    known = {each.name for each in fields(Thresholds)}
    for name, value in parameters.items():
        if name not in known or not isinstance(value, int | float):
            sys.exit(f"parameter {name}={value!r} is not one of {', '.join(sorted(known))}, each a number")
    return Thresholds(**parameters)


def _measure_all(images: Sequence[Data], thresholds: Thresholds) -> dict[Data, list[str]]:
    """Return the tags of each image that can be measured."""
    tags: dict[Data, list[str]] = {}

    def measure_one(data: Data) -> Measures | NotMeasurableError | LakeError:
        try:
            return measure(BytesIO(data.read()))
        except (NotMeasurableError, LakeError) as error:
            return error

    with ThreadPoolExecutor(MAX_DOWNLOADS) as pool:
        for data, result in zip(images, pool.map(measure_one, images), strict=True):
            if isinstance(result, Measures):
                tags[data] = tags_for(result, thresholds)
                print(f"{data.filename}: {', '.join(tags[data])}", flush=True)
            else:
                print(f"{data.filename}: {result}", file=sys.stderr, flush=True)
    return tags


def _tag(datalake: Datalake, name: str, tags: Mapping[Data, Sequence[str]]) -> None:
    """Attach a tag to the data that should have it, and detach it from data that have it from an earlier run."""
    deserved = [data for data in tags if name in tags[data]]
    stale = [data for data in tags if name not in tags[data] and name in [tag.name for tag in data.tags]]
    if deserved or stale:
        tag = datalake.get_or_create_data_tag(name)
        tag.attach_on(deserved)
        tag.detach_from(stale)
        print(f"{name}: {len(deserved)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
