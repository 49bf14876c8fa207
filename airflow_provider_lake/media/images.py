"""What the header of an image tells: its size as displayed, and its EXIF in the platform's metadata keys."""

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

# Of these the whole file is read to see its header, so larger ones are none that can be read.
_READ_WHOLE = frozenset({"AVIF", "HEIF", "WEBP"})
_MAX_READ_WHOLE = 256 << 20
# Formats whose header is cheap and harmless to read: none that starts another program or interprets scripts.
_FORMATS = ("BMP", "DIB", "GIF", "ICO", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF")
# Brands of the formats that are kept as videos are; of those that only say how it is kept, a further brand says more.
_AVIF = frozenset({b"avif", b"avis"})
_HEIF = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevm", b"hevs", b"hevx", b"mif1", b"mif2", b"msf1"})
# Bytes at the beginning of a file that say what it is.
HEADER_BYTES = 64
_MISSING = {
    "AVIF": "AVIF images cannot be read here: this Pillow was built without AVIF",
    "HEIF": "HEIC and HEIF images cannot be read here without pillow-heif: install airflow-provider-lake[heif]",
}
# What a data source can be called.
_MAX_CAMERA = 128
_ORIENTATIONS_ON_THEIR_SIDE = frozenset({5, 6, 7, 8})

# What Pillow raises on broken images, beside OSErrors without a number.
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
    """The bytes are no image that can be read; the message is the reason, fit to be shown to a user."""


class ImageUnsupportedError(Exception):
    """The bytes are an image in a format for which something is missing here; the message says what to install."""


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What one image's header tells.

    :param width: in pixels, as displayed: turned by the EXIF orientation.
    :param height: likewise.
    :param metadata: platform metadata key to value; only what the image carries.
    """

    width: int
    height: int
    metadata: dict[str, Any] = field(default_factory=dict)


def read_header(file: BinaryIO, *, with_metadata: bool = True) -> ImageHeader:
    """Read an image's header; its pixels are not decoded, and what is broken in its EXIF is left out.

    :param with_metadata: False: only what turns the image is read of its EXIF.
    :raises NotAnImageError: no image, one of an unknown format, or one so large that decoding it would be an attack.
    :raises ImageUnsupportedError: an image, in a format that cannot be read here.
    :raises OSError: the bytes cannot be read.
    """
    with _open(file) as image:
        exif = _read_exif(image, with_metadata)
        width, height = _stored_size(image, exif)
    if to_int(exif.get(Base.Orientation)) in _ORIENTATIONS_ON_THEIR_SIDE:
        width, height = height, width
    return ImageHeader(width, height, metadata_of(exif) if with_metadata else {})


def read_camera(file: BinaryIO) -> str | None:
    """Return maker and model of the camera that took an image; None: that is not said, or it cannot be read here.

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
    # The end is asked for only where it matters: then what was read so far has to be read again.
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
    """Return the formats that a file may be in, as Pillow names them.

    :param first_bytes: :data:`HEADER_BYTES` of them where there are as many.
    :raises ImageUnsupportedError: it is in one for which something is missing here.
    """
    if first_bytes[:4] == b"RIFF":
        return ("WEBP",) if first_bytes[8:12] == b"WEBP" else ()
    if first_bytes[4:8] != b"ftyp":
        return _FORMATS
    # The length of the list of brands stands before it; its own comes first, then those it is compatible with.
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
    """Whether images of a format can be read here; that of phones loads only where there is one."""
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
    """Say once in a process that something is missing.

    :param message: of an :class:`ImageUnsupportedError`.
    :param consequence: what comes of it.
    """
    logger.warning("%s; %s", message, consequence)


def open_image(file: BinaryIO, formats: tuple[str, ...], *, with_pixels: bool = False) -> Image.Image:
    """Open an image, also one with texts that are longer than Pillow reads; whatever Pillow raises comes through.

    :param with_pixels: whether its pixels will be asked for.
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
        # Pillow does not look for it there.
        if exif := jpeg2000.find_exif(file):
            image.info["exif"] = exif
        file.seek(place)
    return image


def _stored_size(image: Image.Image, exif: Mapping[int, Any]) -> tuple[int, int]:
    """Return width and height before any turn; of a TIFF, some versions of Pillow give the turned ones."""
    if image.format == "TIFF" and Base.ImageWidth in exif and Base.ImageLength in exif:
        return exif[Base.ImageWidth], exif[Base.ImageLength]
    return image.size


def _read_exif(image: Image.Image, with_directories: bool) -> dict[int, Any]:
    """Return the tags of the main directory, or of the EXIF one, too, with those of the GPS one under its own tag.

    Empty where EXIF is absent or broken, which spoils no image.
    """
    try:
        # Image's own, because that of PNG decodes all pixels to look behind them.
        exif = Image.Image.getexif(image)
        main = dict(exif)
    except (*BROKEN_IMAGE_ERRORS, OSError):
        return {}
    if not with_directories:
        return main
    return {**_directory(exif, IFD.Exif), **main, IFD.GPSInfo: _directory(exif, IFD.GPSInfo)}


def _directory(exif: Image.Exif, tag: int) -> dict[int, Any]:
    """Return the tags of a directory; one that is broken spoils no other."""
    try:
        return dict(exif.get_ifd(tag))
    except (*BROKEN_IMAGE_ERRORS, OSError):
        return {}
