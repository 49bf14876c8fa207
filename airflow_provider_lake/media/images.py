"""Reads image headers: the size as displayed, and EXIF as the platform's metadata."""

import logging
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from io import SEEK_END, BytesIO
from typing import Any, BinaryIO

from PIL import Image, UnidentifiedImageError
from PIL.ExifTags import IFD, Base

from airflow_provider_lake.media import jpeg2000
from airflow_provider_lake.media.exif import metadata_of, text_of, to_int
from airflow_provider_lake.media.png import strip_text_chunks

# Formats of which Pillow reads the whole file to get the header; larger files are refused.
_READ_WHOLE = frozenset({"AVIF", "HEIF", "WEBP"})
_MAX_READ_WHOLE = 256 << 20
# Formats with a header that is cheap and safe to read: none starts another program or interprets scripts.
_FORMATS = ("BMP", "DIB", "GIF", "ICO", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF")
# Brands of the formats in ISO media containers. Some major brands are generic: then a compatible brand is decisive.
_AVIF = frozenset({b"avif", b"avis"})
_HEIF = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevm", b"hevs", b"hevx", b"mif1", b"mif2", b"msf1"})
# Number of bytes at the start of a file that identify its format.
HEADER_BYTES = 64
_MISSING = {
    "AVIF": "AVIF images cannot be read here: this Pillow was built without AVIF",
    "HEIF": "HEIC and HEIF images cannot be read here without pillow-heif: install airflow-provider-lake[heif]",
}
# The maximum length of a data source's name.
_MAX_CAMERA = 128
_ORIENTATIONS_ON_THEIR_SIDE = frozenset({5, 6, 7, 8})

# Exceptions that Pillow raises for broken images, in addition to OSErrors without an errno.
BROKEN_IMAGE_ERRORS = (
    ArithmeticError,
    AttributeError,
    EOFError,
    Image.DecompressionBombError,
    LookupError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
)


class NotAnImageError(ValueError):
    """The bytes are not a readable image; the message is a reason that can be shown to a user."""


class ImageUnsupportedError(Exception):
    """The bytes are an image in a format that needs a missing package; the message says what to install."""


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """Contents of an image's header.

    :param width: in pixels, as displayed: after applying the EXIF orientation.
    :param height: likewise.
    :param metadata: platform metadata key to value, with only the keys that the image has.
    """

    width: int
    height: int
    metadata: dict[str, Any] = field(default_factory=dict)


def read_header(file: BinaryIO, *, with_metadata: bool = True) -> ImageHeader:
    """Read an image's header, without decoding its pixels; broken parts of its EXIF are left out.

    :param with_metadata: False: of its EXIF, read only the orientation.
    :raises NotAnImageError: not an image, one of an unknown format, or a decompression bomb.
    :raises ImageUnsupportedError: an image in a format that cannot be read here.
    :raises OSError: the bytes cannot be read.
    """
    with _open(file) as image:
        exif = _read_exif(image, with_metadata)
        width, height = _stored_size(image, exif)
    if to_int(exif.get(Base.Orientation)) in _ORIENTATIONS_ON_THEIR_SIDE:
        width, height = height, width
    return ImageHeader(width, height, metadata_of(exif) if with_metadata else {})


def read_camera(file: BinaryIO) -> str | None:
    """Return maker and model of the camera that took an image; None: unknown, or the image cannot be read here.

    :raises OSError: the bytes cannot be read.
    """
    try:
        with _open(file) as image:
            exif = _read_exif(image, with_directories=False)
    except (NotAnImageError, ImageUnsupportedError):
        return None
    names = filter(None, (text_of(exif.get(tag)) for tag in (Base.Make, Base.Model)))
    return " ".join(names)[:_MAX_CAMERA].strip() or None


def _open(file: BinaryIO) -> Image.Image:
    file.seek(0)
    first_bytes = file.read(HEADER_BYTES)
    if not first_bytes:
        raise NotAnImageError("the file is empty")
    formats = formats_of(first_bytes)
    # Seek to the end only if needed: the bytes read so far must be read again after it.
    if _READ_WHOLE.intersection(formats) and file.seek(0, SEEK_END) > _MAX_READ_WHOLE:
        raise NotAnImageError(f"the image is too large: it has more than {_MAX_READ_WHOLE >> 20} MiB")
    file.seek(0)
    try:
        return open_image(file, formats)
    except Image.DecompressionBombError as error:
        raise NotAnImageError(f"the image is too large: {error}") from error
    except UnidentifiedImageError as error:
        raise NotAnImageError("not an image of a known format") from error
    except BROKEN_IMAGE_ERRORS as error:
        raise NotAnImageError(f"the image's header is broken: {error}") from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise NotAnImageError(f"the image's header is broken: {error}") from error


def formats_of(first_bytes: bytes) -> tuple[str, ...]:
    """Return the formats that a file may have, by Pillow's names.

    :param first_bytes: the first :data:`HEADER_BYTES` of the file, or all if it is shorter.
    :raises ImageUnsupportedError: its format needs a missing package.
    """
    if first_bytes[:4] == b"RIFF":
        return ("WEBP",) if first_bytes[8:12] == b"WEBP" else ()
    if first_bytes[4:8] != b"ftyp":
        return _FORMATS
    # A box starts with its length; the major brand comes first, followed by the compatible brands.
    end = min(int.from_bytes(first_bytes[:4]), len(first_bytes))
    brands = {first_bytes[place : place + 4] for place in range(8, end, 4)}
    for name, known in (("AVIF", _AVIF), ("HEIF", _HEIF)):
        if first_bytes[8:12] in known or (first_bytes[8:12] in _HEIF and brands & known):
            if not _is_supported(name):
                raise ImageUnsupportedError(_MISSING[name])
            return (name,)
    return _FORMATS


@cache
def _is_supported(format_: str) -> bool:
    """Whether images of a format can be read here; the HEIF plugin is loaded only when there is a HEIF image."""
    if format_ == "HEIF":
        try:
            import pillow_heif
        except ImportError:
            return False
        pillow_heif.register_heif_opener(thumbnails=False)
    Image.init()
    return format_ in Image.OPEN


@cache
def warn_unsupported(logger: logging.Logger, message: str, consequence: str) -> None:
    """Log once per process that a package is missing.

    :param message: of an :class:`ImageUnsupportedError`.
    :param consequence: the effect of the missing package.
    """
    logger.warning("%s; %s", message, consequence)


def open_image(file: BinaryIO, formats: tuple[str, ...], *, with_pixels: bool = False) -> Image.Image:
    """Open an image, even with text chunks longer than Pillow accepts; exceptions of Pillow are not converted.

    :param with_pixels: whether the pixels will be decoded.
    """
    try:
        image = Image.open(file, formats=formats)
    except ValueError:
        rest = strip_text_chunks(file, with_pixels=with_pixels)
        if rest is None:
            raise
        return Image.open(BytesIO(rest), formats=formats)
    if image.format == "JPEG2000":
        place = file.tell()
        # Pillow does not read EXIF from this box.
        if exif := jpeg2000.find_exif(file):
            image.info["exif"] = exif
        file.seek(place)
    return image


def _stored_size(image: Image.Image, exif: Mapping[int, Any]) -> tuple[int, int]:
    """Return width and height before rotation; for a TIFF, some versions of Pillow return the rotated size."""
    if image.format == "TIFF" and Base.ImageWidth in exif and Base.ImageLength in exif:
        return exif[Base.ImageWidth], exif[Base.ImageLength]
    return image.size


def _read_exif(image: Image.Image, with_directories: bool) -> dict[int, Any]:
    """Return the tags of the main directory, optionally with those of the EXIF and (under its own tag) GPS directory.

    Returns no tags if the EXIF is absent or broken, as this does not make the image unreadable.
    """
    try:
        # Image's own method, because PNG's decodes all pixels to find EXIF after them.
        exif = Image.Image.getexif(image)
        main = dict(exif)
    except (*BROKEN_IMAGE_ERRORS, OSError):
        return {}
    if not with_directories:
        return main
    return {**_directory(exif, IFD.Exif), **main, IFD.GPSInfo: _directory(exif, IFD.GPSInfo)}


def _directory(exif: Image.Exif, tag: int) -> dict[int, Any]:
    """Return the tags of a directory; a broken directory is empty, and does not affect the others."""
    try:
        return dict(exif.get_ifd(tag))
    except (*BROKEN_IMAGE_ERRORS, OSError):
        return {}
