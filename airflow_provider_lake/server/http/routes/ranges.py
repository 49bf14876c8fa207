"""The `Range` header of a download."""

import re

_SINGLE_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


class RangeError(ValueError):
    """The range contains no byte of the object."""


def read_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the first and last byte that are requested; None for the whole object, also if the header is not a range.

    :param size: of the object, in bytes.
    :raises RangeError: the range is outside of the object.
    """
    match = _SINGLE_RANGE.fullmatch(header or "")
    if match is None or match[0] == "bytes=-":
        return None
    if not match[1]:
        first, last = max(0, size - int(match[2])), size - 1
    else:
        first, last = int(match[1]), min(int(match[2]) if match[2] else size - 1, size - 1)
    if first > last:
        raise RangeError(f"the object has {size} bytes")
    return first, last
