"""What a file tells about itself: content type, displayed size, EXIF in the platform's metadata keys."""

import math
import mimetypes
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePath
from typing import Any, BinaryIO

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

# Types that mimetypes does not know in every version of Python.
_MORE_TYPES = {".avif": "image/avif", ".heic": "image/heic", ".heif": "image/heif", ".webp": "image/webp"}
# Formats whose header Pillow reads by itself; others may start a program, as EPS does.
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
# What Pillow's parsers raise on broken files.
_BROKEN = (ValueError, SyntaxError, TypeError, KeyError, IndexError, EOFError, OSError, struct.error)

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


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the header of an image tells.

    :param size: width and height in pixels, as displayed: turned by the EXIF orientation.
    :param metadata: platform metadata key to value; only what the image carries.
    """

    size: tuple[int, int]
    metadata: dict[str, Any] = field(default_factory=dict)


def content_type_of(filename: str) -> str:
    """Return the content type that a file name means, ``application/octet-stream`` when it means none."""
    suffix = PurePath(filename).suffix.lower()
    return _MORE_TYPES.get(suffix) or mimetypes.guess_type(filename)[0] or "application/octet-stream"


def data_type_of(content_type: str) -> str:
    """Return the kind of data that a content type means: ``VIDEO`` or ``IMAGE``."""
    return "VIDEO" if content_type.startswith("video/") else "IMAGE"


def read_image(file: BinaryIO, *, with_metadata: bool = True) -> ImageFacts | None:
    """Read the header of an image; what is broken in its EXIF is left out.

    :param with_metadata: False: only what turns the image is read of its EXIF.
    :return: None for what is no image of a known format, or too large for Pillow: the lake is the judge of those.
    """
    try:
        with Image.open(file, formats=_FORMATS) as image:
            exif = _read_exif(image, with_metadata)
            width, height = _stored_size(image, exif)
    except (*_BROKEN, Image.DecompressionBombError):
        return None
    if exif.get(Base.Orientation) in _ORIENTATIONS_ON_THEIR_SIDE:
        width, height = height, width
    return ImageFacts((width, height), _metadata(exif) if with_metadata else {})


def _stored_size(image: Image.Image, exif: Mapping[int, Any]) -> tuple[int, int]:
    """Return width and height before any turn; of a TIFF, some versions of Pillow give the turned ones."""
    if image.format == "TIFF" and Base.ImageWidth in exif and Base.ImageLength in exif:
        return exif[Base.ImageWidth], exif[Base.ImageLength]
    return image.size


def _read_exif(image: Image.Image, with_directories: bool) -> dict[int, Any]:
    """Return the tags of the main directory, or of the EXIF one, too, with those of the GPS one under its own tag."""
    try:
        # Image's own, because that of PNG decodes all pixels to look behind them.
        exif = Image.Image.getexif(image)
        if not with_directories:
            return dict(exif)
        return {**exif.get_ifd(IFD.Exif), **exif, IFD.GPSInfo: exif.get_ifd(IFD.GPSInfo)}
    except _BROKEN:
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
        number = float(value)
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
    is_below = gps.get(GPS.GPSAltitudeRef) in {1, b"\x01"}
    return -altitude if altitude is not None and is_below else altitude
