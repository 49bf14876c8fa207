"""What the header of an image tells: its size as displayed, and its EXIF in the platform's metadata keys."""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from io import SEEK_END
from typing import Any, BinaryIO

from PIL import Image, UnidentifiedImageError
from PIL.ExifTags import GPS, IFD, Base

# Of these Pillow reads the whole file to see its header, so larger ones are none that the lake knows.
_READ_WHOLE = frozenset({"AVIF", "WEBP"})
_MAX_READ_WHOLE = 256 << 20
# Formats whose header is cheap and harmless to read: none that starts another program or interprets scripts.
_FORMATS = ("AVIF", "BMP", "GIF", "ICO", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
_ORIENTATIONS_ON_THEIR_SIDE = frozenset({5, 6, 7, 8})
_MAX_TEXT = 128
_RESOLUTION_UNITS = {2: "inches", 3: "cm"}
_COLOR_SPACES = {1: "sRGB", 2: "Adobe RGB", 0xFFFD: "Wide Gamut RGB", 0xFFFE: "ICC Profile", 0xFFFF: "Uncalibrated"}
# Names as exiftool gives them.
_COMPRESSIONS = {
    1: "Uncompressed",
    2: "CCITT 1D",
    3: "T4/Group 3 Fax",
    4: "T6/Group 4 Fax",
    5: "LZW",
    6: "JPEG (old-style)",
    7: "JPEG",
    8: "Adobe Deflate",
    9: "JBIG B&W",
    10: "JBIG Color",
    99: "JPEG",
    32773: "PackBits",
    32946: "Deflate",
    34661: "JBIG",
    34712: "JPEG 2000",
    34892: "Lossy JPEG",
    34925: "LZMA2",
    34926: "Zstd",
    34927: "WebP",
    34933: "PNG",
    34934: "JPEG XR",
}

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
    """The bytes are no image that the lake can read; the message is the reason, fit to be shown to a user."""


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What one image's header tells.

    :param width: in pixels, as displayed: turned by the EXIF orientation.
    :param height: likewise.
    :param metadata: platform metadata key to value; only what the image carries.
    """

    width: int
    height: int
    metadata: dict[str, Any] = field(default_factory=dict)


def read_image(file: BinaryIO) -> ImageFacts:
    """Read an image's header; its pixels are not decoded.

    :raises NotAnImageError: no image, one of an unknown format, or one so large that decoding it would be an attack.
    :raises OSError: the bytes cannot be read.
    """
    if not file.read(1):
        raise NotAnImageError("the file is empty")
    formats = known_formats()
    if file.seek(0, SEEK_END) > _MAX_READ_WHOLE:
        formats = tuple(name for name in formats if name not in _READ_WHOLE)
    file.seek(0)
    try:
        image = Image.open(file, formats=formats)
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
    with image:
        exif = _read_exif(image)
        width, height = _stored_size(image, exif)
    if exif.get(Base.Orientation) in _ORIENTATIONS_ON_THEIR_SIDE:
        width, height = height, width
    return ImageFacts(width, height, _metadata(exif))


@cache
def known_formats() -> tuple[str, ...]:
    """Return those of the formats that this Pillow was built with."""
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _stored_size(image: Image.Image, exif: Mapping[int, Any]) -> tuple[int, int]:
    """Return width and height before any turn; of a TIFF, some versions of Pillow give the turned ones."""
    if image.format == "TIFF" and Base.ImageWidth in exif and Base.ImageLength in exif:
        return exif[Base.ImageWidth], exif[Base.ImageLength]
    return image.size


def _read_exif(image: Image.Image) -> dict[int, Any]:
    """Return the tags of the main and the EXIF directory, and those of the GPS directory under its own tag.

    Empty where EXIF is absent or broken, which spoils no image.
    """
    try:
        # Image's own, because that of PNG decodes all pixels to look behind them.
        exif = Image.Image.getexif(image)
        return {**exif.get_ifd(IFD.Exif), **exif, IFD.GPSInfo: exif.get_ifd(IFD.GPSInfo)}
    except (*BROKEN_IMAGE_ERRORS, OSError):
        return {}


def _metadata(exif: Mapping[int, Any]) -> dict[str, Any]:
    gps = exif.get(IFD.GPSInfo, {})
    found = {
        "acquired_at": _moment(exif.get(Base.DateTime)) or _moment(exif.get(Base.DateTimeOriginal)),
        "acquired_by": _text(exif.get(Base.Artist)),
        # A resolution of zero is an unknown one.
        "resolution_x": _number(exif.get(Base.XResolution)) or None,
        "resolution_y": _number(exif.get(Base.YResolution)) or None,
        "resolution_unit": _name(exif.get(Base.ResolutionUnit), _RESOLUTION_UNITS),
        "compression": _name(exif.get(Base.Compression), _COMPRESSIONS),
        "manufacturer": _text(exif.get(Base.Make)),
        "software": _text(exif.get(Base.Software)),
        "color_space": _name(exif.get(Base.ColorSpace), _COLOR_SPACES),
        **_position(gps),
        "altitude": _altitude(gps),
    }
    return {key: value for key, value in found.items() if value is not None}


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return None
    return value.replace("\0", "").strip()[:_MAX_TEXT] or None


def _moment(value: Any) -> str | None:
    """Turn EXIF's ``2024:05:06 07:08:09`` into ISO 8601; EXIF names no time zone, so neither does this."""
    try:
        return datetime.strptime(_text(value) or "", "%Y:%m:%d %H:%M:%S").isoformat()  # noqa: DTZ007 - as it stands there
    except ValueError:
        return None


def _name(value: Any, names: Mapping[int, str]) -> str | None:
    return names.get(value) if isinstance(value, int) else None


def _number(value: Any) -> float | None:
    """Return a finite number; EXIF's fractions can have a denominator of zero."""
    try:
        number: float = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) else None


def _position(gps: Mapping[int, Any]) -> dict[str, float]:
    """Return latitude and longitude; the platform takes them only together."""
    latitude = _degrees(gps.get(GPS.GPSLatitude), 90, negative=_text(gps.get(GPS.GPSLatitudeRef)) == "S")
    longitude = _degrees(gps.get(GPS.GPSLongitude), 180, negative=_text(gps.get(GPS.GPSLongitudeRef)) == "W")
    if latitude is None or longitude is None:
        return {}
    return {"latitude": latitude, "longitude": longitude}


def _degrees(value: Any, limit: float, *, negative: bool) -> float | None:
    """Turn degrees, minutes and seconds into degrees; None for what is no place on earth."""
    if not isinstance(value, tuple) or len(value) != 3:  # noqa: PLR2004 - degrees, minutes, seconds
        return None
    degrees = 0.0
    for place, part in enumerate(map(_number, value)):
        if part is None:
            return None
        degrees += part / 60.0**place
    if not 0 <= degrees <= limit:
        return None
    return round(-degrees if negative else degrees, 8)


def _altitude(gps: Mapping[int, Any]) -> float | None:
    """Return metres above sea level; reference 1 says below."""
    altitude = _number(gps.get(GPS.GPSAltitude))
    below = gps.get(GPS.GPSAltitudeRef) in {1, b"\x01"}
    return -altitude if altitude is not None and below else altitude
