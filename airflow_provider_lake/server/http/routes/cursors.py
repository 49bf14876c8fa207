"""The cursor of a page: opaque to clients, the position of a row to the lake."""

import base64
import binascii

from airflow_provider_lake.server.errors import BadRequestError

_MAX_POSITION = 2**63 - 1


def encode_cursor(position: int) -> str:
    """Return the cursor that continues after a position."""
    return base64.urlsafe_b64encode(str(position).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> int:
    """Return the position that a cursor continues after; without a cursor, the one before all rows.

    :raises BadRequestError: it is not a cursor of this lake.
    """
    if cursor is None:
        return 0
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeError, ValueError):
        text = ""
    if not text.isdecimal() or len(text) > len(str(_MAX_POSITION)) or int(text) > _MAX_POSITION:
        raise BadRequestError(f"no cursor of this lake: {cursor[:80]!r}")
    return int(text)
