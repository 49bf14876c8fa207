"""Thumbnails of images, and of the first frames of videos."""

from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from PIL import Image, ImageOps

from airflow_provider_lake.media.images import (
    BROKEN_IMAGE_ERRORS,
    HEADER_BYTES,
    ImageUnsupportedError,
    formats_of,
    open_image,
)
from airflow_provider_lake.media.video import read_first_frame

MAX_SIDE = 512
_QUALITY = 80
# Decoding needs up to 4 bytes a pixel. Exempt is JPEG that is not progressive: it is decoded at a reduced size.
_MAX_PIXELS = 64_000_000


class NoThumbnailError(ValueError):
    """No thumbnail can be made; the message has the reason."""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A JPEG of at most 512 pixels a side, rotated according to its EXIF."""

    content: bytes
    width: int
    height: int


def make_thumbnail(file: BinaryIO) -> Thumbnail:
    """Return a thumbnail of an image; of several frames, the first.

    :raises NoThumbnailError: its pixels are damaged, or too many.
    """
    target = BytesIO()
    try:
        formats = formats_of(file.read(HEADER_BYTES))
        file.seek(0)
        with open_image(file, formats, with_pixels=True) as image:
            is_small = image.format == "JPEG" and "progressive" not in image.info
            if not is_small and image.width * image.height > _MAX_PIXELS:
                raise NoThumbnailError(f"the image has more than {_MAX_PIXELS} pixels")
            # Palette images cannot be resampled.
            small = image.convert("RGBA") if image.mode in {"1", "P"} else image
            small.thumbnail((MAX_SIDE, MAX_SIDE))
            turned = _on_white(ImageOps.exif_transpose(small))
        turned.save(target, "JPEG", quality=_QUALITY)
    except (*BROKEN_IMAGE_ERRORS, ImageUnsupportedError) as error:
        raise NoThumbnailError(str(error)) from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise NoThumbnailError(str(error)) from error
    return Thumbnail(target.getvalue(), *turned.size)


def make_video_thumbnail(file: BinaryIO) -> Thumbnail:
    """Return a thumbnail of a video's first frame.

    :raises NotAVideoError: it has none that can be decoded.
    :raises VideoUnsupportedError: PyAV is missing.
    """
    frame, target = read_first_frame(file, MAX_SIDE), BytesIO()
    frame.save(target, "JPEG", quality=_QUALITY)
    return Thumbnail(target.getvalue(), *frame.size)


def _on_white(image: Image.Image) -> Image.Image:
    """Return an image in a mode that JPEG supports, with a white background."""
    if image.mode.startswith("I;16"):
        image = image.point(lambda value: value * (1 / 256)).convert("L")
    if not image.has_transparency_data:
        return image.convert("RGB")
    opaque = Image.new("RGBA", image.size, "white")
    opaque.alpha_composite(image.convert("RGBA"))
    return opaque.convert("RGB")
