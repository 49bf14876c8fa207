"""What all things of the lake have in common, seen from here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, SafeUUID

from airflow_provider_lake.client.errors import UsageError
from airflow_provider_lake.client.http import Session

Json = Mapping[str, Any]

_ID_DIGITS = 32
_new_object = object.__new__
# Looked up each time, the member of the enumeration would cost as much as the rest.
_UNKNOWN_SAFETY = SafeUUID.unknown
_set_int, _set_safety = (UUID.__dict__[name].__set__ for name in ("int", "is_safe"))


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A thing of the lake as it was when it was read; what reads it again returns a new record.

    Two records are equal when they are of the same thing, however it changed in between.

    :param id: its id.
    :param session: who asks the lake about it.
    """

    id: UUID
    session: Session = field(repr=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and type(self) is type(other) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)


def read_id(text: str) -> UUID:
    """Read an id as the lake writes it; ids are most of what a list of many records has to read.

    :raises ValueError: it is none.
    """
    digits = text.replace("-", "")
    if len(digits) != _ID_DIGITS:
        raise ValueError(f"{text!r} is no id")
    # What the constructor of UUID does in the end, in a third of the time.
    value = _new_object(UUID)
    _set_int(value, int(digits, 16))
    _set_safety(value, _UNKNOWN_SAFETY)
    return value


def parse_id(value: str | UUID) -> UUID:
    """Read an id.

    :raises UsageError: it is none.
    """
    try:
        return value if isinstance(value, UUID) else UUID(value)
    except ValueError:
        raise UsageError(f"{value!r} is no id: ids are UUIDs") from None


def parse_moment(value: str | None) -> datetime | None:
    """Read a moment as the lake writes it, in ISO 8601."""
    return None if value is None else datetime.fromisoformat(value)
