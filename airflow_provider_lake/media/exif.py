"""Converts EXIF tags to the platform's metadata."""

import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from PIL.ExifTags import GPS, IFD, Base

_MAX_TEXT = 128
_RESOLUTION_UNITS = {2: "inches", 3: "cm"}
_COLOR_SPACES = {1: "sRGB", 2: "Adobe RGB", 0xFFFD: "Wide Gamut RGB", 0xFFFE: "ICC Profile", 0xFFFF: "Uncalibrated"}
# Names as exiftool uses them.
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
# Timestamps, each with the tag of its UTC offset; the first valid one is used.
_TIMESTAMPS = (
    (Base.DateTime, Base.OffsetTime),
    (Base.DateTimeOriginal, Base.OffsetTimeOriginal),
    (Base.DateTimeDigitized, Base.OffsetTimeDigitized),
)
# EXIF defines 2024:05:06 07:08:09, but programs write other forms too; fractions of a second have their own tag.
_TIMESTAMP = re.compile(
    r"([0-9]{4})([:/.-])([0-9]{1,2})\2([0-9]{1,2})(?:\s+|T)([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:\.[0-9]+)?(.*)",
    re.DOTALL,
)
_ZONE = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})?")
_BELOW_SEA_LEVEL = frozenset({1, 3})
_MAX_HOURS = 14
# Degrees, minutes and seconds.
_PARTS_OF_AN_ANGLE = 3


def metadata_of(exif: Mapping[int, Any]) -> dict[str, Any]:
    """Return the platform's metadata, with only the keys for which there are tags.

    :param exif: tags of the main and the EXIF directory; the tags of the GPS directory are under its own tag.
    """
    gps = exif.get(IFD.GPSInfo, {})
    found = {
        "acquired_at": _acquired_at(exif),
        "acquired_by": text_of(exif.get(Base.Artist)),
        # A resolution of zero means unknown.
        "resolution_x": _number(exif.get(Base.XResolution)) or None,
        "resolution_y": _number(exif.get(Base.YResolution)) or None,
        "resolution_unit": _RESOLUTION_UNITS.get(to_int(exif.get(Base.ResolutionUnit))),
        "compression": _COMPRESSIONS.get(to_int(exif.get(Base.Compression))),
        "manufacturer": text_of(exif.get(Base.Make)),
        "software": text_of(exif.get(Base.Software)),
        "color_space": _COLOR_SPACES.get(to_int(exif.get(Base.ColorSpace))),
        **_position(gps),
        "altitude": _altitude(gps),
    }
    return {key: value for key, value in found.items() if value is not None}


def to_int(value: Any) -> int:
    """Return the non-negative integer in a tag, regardless of its type; -1: there is none."""
    if isinstance(value, bytes) and len(value) == 1:
        return value[0]
    number = _number(value)
    return int(number) if number is not None and number.is_integer() and number >= 0 else -1


def text_of(value: Any) -> str | None:
    """Return a tag's text, without leading NULs, up to the next NUL, truncated for the platform; numbers as text."""
    if isinstance(value, tuple):
        value = " ".join(filter(None, map(text_of, value)))
    elif isinstance(value, bytes):
        value = value.decode("latin-1")
    elif not isinstance(value, str):
        # A name such as 5300 that a program has stored as a number.
        number = _number(value)
        value = "" if number is None else f"{number:.15g}"
    return _decoded(value.lstrip("\0").partition("\0")[0]).strip()[:_MAX_TEXT].strip() or None


def _decoded(text: str) -> str:
    """Decode text again that was read as Latin-1: EXIF defines no encoding, and many programs write UTF-8."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text.encode("utf-8", "replace").decode("utf-8")


def _acquired_at(exif: Mapping[int, Any]) -> str | None:
    """Return the first valid timestamp in ISO 8601, with its UTC offset if the file has one."""
    moments = [(_timestamp(exif.get(tag)), exif.get(offset)) for tag, offset in _TIMESTAMPS]
    moment = next((found for found, _ in moments if found is not None), None)
    if moment is None:
        return None
    # The same timestamp may occur in several tags, of which only one has an offset.
    zones = [moment.tzinfo, *(_zone(text_of(offset) or "") for found, offset in moments if found == moment)]
    zone = next((found for found in zones if found is not None), None)
    return moment.replace(tzinfo=zone).isoformat()


def _timestamp(value: Any) -> datetime | None:
    """Parse EXIF's ``2024:05:06 07:08:09``, also with other date separators, and with an optional UTC offset."""
    match = _TIMESTAMP.fullmatch(text_of(value) or "")
    if match is None:
        return None
    year, _, *smaller, rest = match.groups()
    zone = _zone(rest.strip())
    if rest and zone is None:
        return None
    month, day, hour, minute, second = map(int, smaller)
    try:
        return datetime(int(year), month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None


def _zone(text: str) -> timezone | None:
    """Parse EXIF's ``+02:00``, also without a colon or minutes."""
    if text == "Z":
        return timezone(timedelta())
    match = _ZONE.fullmatch(text)
    if match is None:
        return None
    sign, hours, minutes = match[1], int(match[2]), int(match[3] or 0)
    offset = timedelta(hours=hours, minutes=minutes)
    if offset > timedelta(hours=_MAX_HOURS) or minutes >= 60:  # noqa: PLR2004 - minutes of an hour
        return None
    return timezone(-offset if sign == "-" else offset)


def _number(value: Any) -> float | None:
    """Return a finite number, also from text; None: not a number, or a fraction with a denominator of zero."""
    if isinstance(value, tuple) and value:
        # The tag should have a single value.
        value = value[0]
    if isinstance(value, str | bytes):
        value = text_of(value)
    try:
        number = float(value)
    except (TypeError, ValueError, ArithmeticError):
        return None
    return number if math.isfinite(number) else None


def _position(gps: Mapping[int, Any]) -> dict[str, float]:
    """Return latitude and longitude; the platform accepts them only together."""
    latitude = _degrees(gps.get(GPS.GPSLatitude), 90, _sign(gps.get(GPS.GPSLatitudeRef), "NS"))
    longitude = _degrees(gps.get(GPS.GPSLongitude), 180, _sign(gps.get(GPS.GPSLongitudeRef), "EW"))
    if latitude is None or longitude is None:
        return {}
    return {"latitude": latitude, "longitude": longitude}


def _sign(reference: Any, directions: str) -> int | None:
    """Return the sign of a hemisphere: 1 for the first of two directions, -1 for the other; None: unknown.

    :param directions: their first letters; a reference may be in any case, and longer: ``S``, ``s``, ``South``.
    """
    place = directions.find((text_of(reference) or "?")[0].upper())
    return None if place < 0 else 1 - 2 * place


def _degrees(value: Any, limit: float, sign: int | None) -> float | None:
    """Convert degrees, minutes and seconds to degrees; None: not a valid coordinate.

    Minutes and seconds may be missing; if one of them has a denominator of zero, the coordinate is unknown.
    """
    if isinstance(value, str | bytes):
        value = tuple((text_of(value) or "").replace(",", " ").split())
    parts = value if isinstance(value, tuple) else (value,)
    if sign is None or not 1 <= len(parts) <= _PARTS_OF_AN_ANGLE:
        return None
    degrees = 0.0
    for place, part in enumerate(map(_number, parts)):
        if part is None or part < 0:
            return None
        degrees += part / 60.0**place
    return round(sign * degrees, 8) + 0.0 if degrees <= limit else None


def _altitude(gps: Mapping[int, Any]) -> float | None:
    """Return the altitude in metres above sea level."""
    altitude = _number(gps.get(GPS.GPSAltitude))
    is_below = to_int(gps.get(GPS.GPSAltitudeRef)) in _BELOW_SEA_LEVEL
    return -abs(altitude) if altitude is not None and is_below else altitude
