"""EXIF as cameras and programs write it, byte by byte: what Pillow would put right stays wrong."""

import struct
from collections.abc import Mapping, Sequence

# Tag to type and content.
Tags = Mapping[int, tuple[int, int, bytes]]

MAKE, MODEL, ORIENTATION, X_RESOLUTION, UNIT = 0x010F, 0x0110, 0x0112, 0x011A, 0x0128
SOFTWARE, MODIFIED, ARTIST = 0x0131, 0x0132, 0x013B
TAKEN, DIGITIZED, MODIFIED_OFFSET, TAKEN_OFFSET, SUBSECOND = 0x9003, 0x9004, 0x9010, 0x9011, 0x9291
LATITUDE_REF, LATITUDE, LONGITUDE_REF, LONGITUDE, ALTITUDE_REF, ALTITUDE = range(1, 7)
_DETAILS, _GPS = 0x8769, 0x8825
_ENTRY = 12


def text(content: bytes) -> tuple[int, int, bytes]:
    """Write a text as it is; a NUL at its end is part of it."""
    return 2, len(content), content


def undefined(content: bytes) -> tuple[int, int, bytes]:
    """Write bytes of no type."""
    return 7, len(content), content


def octets(content: bytes) -> tuple[int, int, bytes]:
    """Write small numbers."""
    return 1, len(content), content


def short(*values: int) -> tuple[int, int, bytes]:
    """Write numbers of 16 bits."""
    return 3, len(values), struct.pack(f"<{len(values)}H", *values)


def long(*values: int) -> tuple[int, int, bytes]:
    """Write numbers of 32 bits."""
    return 4, len(values), struct.pack(f"<{len(values)}I", *values)


def fractions(*values: tuple[int, int], signed: bool = False) -> tuple[int, int, bytes]:
    """Write fractions by numerator and denominator."""
    numbers = [number for value in values for number in value]
    return (10 if signed else 5), len(values), struct.pack(f"<{len(numbers)}{'i' if signed else 'I'}", *numbers)


def degrees(*values: float) -> tuple[int, int, bytes]:
    """Write degrees, minutes and seconds."""
    return fractions(*((round(value * 1000), 1000) for value in values))


def place(latitude_ref: bytes | None, longitude_ref: bytes | None) -> Tags:
    """Write a place, with references."""
    references = {LATITUDE_REF: latitude_ref, LONGITUDE_REF: longitude_ref}
    return {
        **{tag: text(reference) for tag, reference in references.items() if reference is not None},
        LATITUDE: degrees(33, 51, 24),
        LONGITUDE: degrees(151, 12, 54),
    }


def exif(main: Tags | None = None, details: Tags | None = None, gps: Tags | None = None) -> bytes:
    """Return EXIF with three directories, as JPEG has it; those without tags are left out."""
    parts: dict[int, Tags] = {pointer: tags for pointer, tags in ((_DETAILS, details), (_GPS, gps)) if tags}
    own = dict(main or {})
    first_size = _size(own | dict.fromkeys(parts, long(0)))
    start, bodies = 8 + first_size, b""
    for pointer, tags in parts.items():
        own[pointer] = long(start + len(bodies))
        bodies += _directory(tags, start + len(bodies))
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + _directory(own, 8) + bodies


def _size(tags: Tags) -> int:
    return 2 + _ENTRY * len(tags) + 4 + sum(_padded(content) for _, _, content in tags.values())


def _padded(content: bytes) -> int:
    return 0 if len(content) <= 4 else len(content) + len(content) % 2


def _directory(tags: Tags, start: int) -> bytes:
    end = start + 2 + _ENTRY * len(tags) + 4
    entries, bodies = b"", b""
    for tag in sorted(tags):
        type_, count, content = tags[tag]
        entries += struct.pack("<HHI", tag, type_, count)
        if len(content) <= 4:
            entries += content.ljust(4, b"\0")
        else:
            entries += struct.pack("<I", end + len(bodies))
            bodies += content.ljust(_padded(content), b"\0")
    return struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0) + bodies


def names(values: Sequence[str]) -> Tags:
    """Write maker and model."""
    return {tag: text(value.encode()) for tag, value in zip((MAKE, MODEL), values, strict=True)}
