"""Converts the metadata of a video's container to the platform's metadata."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

_MAX_TEXT = 128
_APPLE = "com.apple.quicktime."
# The containers' field names, as FFmpeg returns them, in lower case; the first valid field is used.
_TEXTS = {
    "acquired_by": (f"{_APPLE}author", "artist", "author"),
    "manufacturer": (f"{_APPLE}make", "com.android.manufacturer", "make"),
    "software": (f"{_APPLE}software", "software"),
}
# The field with a UTC offset comes first: the others are in UTC.
_MOMENTS = (f"{_APPLE}creationdate", "creation_time", "date")
_POSITIONS = (f"{_APPLE}location.iso6709", "location", "location-eng")
_ISO_6709 = re.compile(r"([+-]\d{1,2}(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)([+-]\d+(?:\.\d+)?)?(?:CRS\S+)?/?")
# Cameras without a clock write the start of their epoch: 1904 or 1970.
_FIRST_YEAR = 1971


def metadata_of(fields: Mapping[str, str], codec: str) -> dict[str, Any]:
    """Return the platform's metadata, with only the keys that the container has.

    :param fields: fields of the container and of its video stream.
    :param codec: name of the codec.
    """
    given = {name.lower(): value for name, value in fields.items()}
    found: dict[str, Any] = {
        "acquired_at": next(filter(None, (_moment(given.get(name)) for name in _MOMENTS)), None),
        **{key: next(filter(None, (_text(given.get(name)) for name in names)), None) for key, names in _TEXTS.items()},
        "compression": _text(codec),
        **next(filter(None, (_position(given.get(name)) for name in _POSITIONS)), {}),
    }
    return {key: value for key, value in found.items() if value is not None}


def _text(value: str | None) -> str | None:
    return (value or "").replace("\0", "").strip()[:_MAX_TEXT] or None


def _moment(value: str | None) -> str | None:
    try:
        moment = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    # A date without a time is not a timestamp.
    return moment.isoformat() if moment.year >= _FIRST_YEAR and ":" in (value or "") else None


def _position(value: str | None) -> dict[str, float] | None:
    """Parse an ISO 6709 position in degrees, such as ``+48.8577+002.2950+035.0/``."""
    match = _ISO_6709.fullmatch((value or "").strip())
    if match is None:
        return None
    latitude, longitude, altitude = (None if part is None else float(part) for part in match.groups())
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:  # noqa: PLR2004 - degrees
        return None
    return {"latitude": latitude, "longitude": longitude} | ({} if altitude is None else {"altitude": altitude})
