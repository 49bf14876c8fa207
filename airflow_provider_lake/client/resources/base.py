"""What all records of the API have in common."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from airflow_provider_lake.client.errors import UsageError
from airflow_provider_lake.client.transport.session import Session

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A resource of the lake in the state in which it was read; reading it again returns a new record.

    Two records are equal when they are of the same resource, even if it changed in between.

    :param id: its id.
    :param session: sends requests about it to the lake.
    """

    id: UUID
    session: Session = field(repr=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and type(self) is type(other) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)


def parse_id(value: str | UUID) -> UUID:
    """Parse an id.

    :raises UsageError: it is not one.
    """
    try:
        return value if isinstance(value, UUID) else UUID(value)
    except (ValueError, AttributeError, TypeError):
        raise UsageError(f"{value!r} is no id: ids are UUIDs") from None


def parse_timestamp(value: str | None) -> datetime | None:
    """Parse a timestamp in the lake's format, ISO 8601."""
    return None if value is None else datetime.fromisoformat(value)
