"""Ids that grow with time, so that the index of a large table appends them at its end."""

import secrets
import time
from uuid import UUID

_RANDOM_BITS = 80
_VERSION, _VARIANT = 7 << 76, 0b10 << 62
_OTHER_BITS = ~(0xF << 76 | 0b11 << 62)


def new_id() -> UUID:
    """Return a UUID of version 7: the milliseconds of Unix time, then random bits (RFC 9562, section 5.7)."""
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    return UUID(int=value & _OTHER_BITS | _VERSION | _VARIANT)
