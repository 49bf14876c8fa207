"""EXIF in the platform's metadata keys."""

import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from PIL.ExifTags import GPS, IFD, Base

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
# Moments, each with the tag of its offset; the first that says something counts.
_TIMESTAMPS = (
    (Base.DateTime, Base.OffsetTime),
    (Base.DateTimeOriginal, Base.OffsetTimeOriginal),
    (Base.DateTimeDigitized, Base.OffsetTimeDigitized),
)
# EXIF has 2024:05:06 07:08:09, programs write it otherwise, too; fractions of a second have a tag of their own.
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
    """Return platform metadata key to value; only what the tags say.

    :param exif: tags of the main and the EXIF directory, and those of the GPS directory under its own tag.
    """
    gps = exif.get(IFD.GPSInfo, {})
    found = {
        "acquired_at": _acquired_at(exif),
        "acquired_by": text_of(exif.get(Base.Artist)),
        # A resolution of zero is an unknown one.
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
    """Return the whole number that a tag holds, whatever it is written as; -1: none."""
    if isinstance(value, bytes) and len(value) == 1:
        return value[0]
    number = _number(value)
    return int(number) if number is not None and number.is_integer() and number >= 0 else -1


def text_of(value: Any) -> str | None:
    """Return the text of a tag behind leading NULs and up to its end, cut for the platform; numbers as written."""
    if isinstance(value, tuple):
        value = " ".join(filter(None, map(text_of, value)))
    elif isinstance(value, bytes):
        value = value.decode("latin-1")
    elif not isinstance(value, str):
        # A name such as 5300, by whoever took it for a number.
        number = _number(value)
        value = "" if number is None else f"{number:.15g}"
    return _decoded(value.lstrip("\0").partition("\0")[0]).strip()[:_MAX_TEXT].strip() or None


def _decoded(text: str) -> str:
    """Return what was meant by a text that was read as Latin-1: EXIF names no encoding, and many write UTF-8."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text.encode("utf-8", "replace").decode("utf-8")


def _acquired_at(exif: Mapping[int, Any]) -> str | None:
    """Return the first moment in ISO 8601, with its offset from universal time where the file has it."""
    moments = [(_timestamp(exif.get(tag)), exif.get(offset)) for tag, offset in _TIMESTAMPS]
    moment = next((found for found, _ in moments if found is not None), None)
    if moment is None:
        return None
    # The same moment may stand there several times, and the offset with one of them only.
    zones = [moment.tzinfo, *(_zone(text_of(offset) or "") for found, offset in moments if found == moment)]
    zone = next((found for found in zones if found is not None), None)
    return moment.replace(tzinfo=zone).isoformat()


def _timestamp(value: Any) -> datetime | None:
    """Read EXIF's ``2024:05:06 07:08:09``, its date also with other separators, and an offset where one follows."""
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
    """Read EXIF's ``+02:00``, also without a colon or minutes."""
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
    """Return a finite number, also one that is written as text; EXIF's fractions can have a denominator of zero."""
    if isinstance(value, tuple) and value:
        # A tag that should have one.
        value = value[0]
    if isinstance(value, str | bytes):
        value = text_of(value)
    try:
        number = float(value)
    except (TypeError, ValueError, ArithmeticError):
        return None
    return number if math.isfinite(number) else None


def _position(gps: Mapping[int, Any]) -> dict[str, float]:
    """Return latitude and longitude; the platform takes them only together."""
    latitude = _degrees(gps.get(GPS.GPSLatitude), 90, _sign(gps.get(GPS.GPSLatitudeRef), "NS"))
    longitude = _degrees(gps.get(GPS.GPSLongitude), 180, _sign(gps.get(GPS.GPSLongitudeRef), "EW"))
    if latitude is None or longitude is None:
        return {}
    return {"latitude": latitude, "longitude": longitude}


def _sign(reference: Any, directions: str) -> int | None:
    """Return the sign of a hemisphere: 1 for the first of two directions, -1 for the other; None: nobody knows.

    :param directions: their first letters, in whichever case and however they go on: ``S``, ``s``, ``South``.
    """
    place = directions.find((text_of(reference) or "?")[0].upper())
    return None if place < 0 else 1 - 2 * place


def _degrees(value: Any, limit: float, sign: int | None) -> float | None:
    """Turn degrees, minutes and seconds into degrees; None for what is no place on earth.

    Minutes and seconds may be missing; where one of them is a fraction of zero, the place is unknown.
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
    """Return metres above sea level."""
    altitude = _number(gps.get(GPS.GPSAltitude))
    is_below = to_int(gps.get(GPS.GPSAltitudeRef)) in _BELOW_SEA_LEVEL
    return -abs(altitude) if altitude is not None and is_below else altitude
