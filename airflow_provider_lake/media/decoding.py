"""Decodes images completely, to find errors that the header does not show: truncated files and broken pixels."""

import warnings
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from airflow_provider_lake.media.images import (
    BROKEN_IMAGE_ERRORS,
    HEADER_BYTES,
    NotAnImageError,
    formats_of,
    open_image,
)


def check_image(file: BinaryIO) -> None:
    """Decode all pixels of an image, in each of its pages or frames.

    :raises NotAnImageError: it is not an image, or it is truncated or broken; the message names the page if there are
        several.
    :raises ImageUnsupportedError: an image in a format that cannot be read here.
    :raises OSError: the bytes cannot be read.
    """
    file.seek(0)
    first_bytes, where = file.read(HEADER_BYTES), ""
    if not first_bytes:
        raise NotAnImageError("the file is empty")
    formats = formats_of(first_bytes)
    file.seek(0)
    try:
        # Large images are decoded despite Pillow's warning, up to its hard limit.
        with warnings.catch_warnings(), open_image(file, formats, with_pixels=True) as image:
            warnings.simplefilter("ignore")
            # The page count of a truncated file may include pages whose content is missing.
            for number in range(getattr(image, "n_frames", 1)):
                where = f" in page {number + 1}" if number else ""
                image.seek(number)
                image.load()
    except Image.DecompressionBombError as error:
        raise NotAnImageError(f"the image is too large: {error}") from error
    except UnidentifiedImageError as error:
        raise NotAnImageError("not an image of a known format") from error
    except (*BROKEN_IMAGE_ERRORS, MemoryError) as error:
        raise NotAnImageError(f"the image is cut or broken{where}: {error}") from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise NotAnImageError(f"the image is cut or broken{where}: {error}") from error
