"""Data tags."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from airflow_provider_lake.client.arguments import read_list
from airflow_provider_lake.client.errors import NotFoundError
from airflow_provider_lake.client.resources.base import Json, Record
from airflow_provider_lake.client.resources.names import get_or_create
from airflow_provider_lake.client.transport.fields import explain_shape
from airflow_provider_lake.client.transport.paging import chunks, list_named
from airflow_provider_lake.client.transport.session import Session
from airflow_provider_lake.client.transport.suggestions import suggest
from airflow_provider_lake.text.truncation import first_lines


@dataclass(frozen=True, slots=True, eq=False)
class Tag(Record):
    """A word that data of one datalake carry.

    :param target_type: what it can be attached to; ``DATA``.
    """

    name: str
    target_type: str

    @classmethod
    @explain_shape("tag")
    def from_json(cls, session: Session, json: Json) -> Self:
        """Make the record of what the lake answered."""
        return cls(UUID(json["id"]), session, json["name"], json["target_type"])

    def refresh(self) -> Self:
        """Read it again."""
        return self.from_json(self.session, self.session.request("GET", f"/api/tag/{self.id}"))

    def update(self, name: str) -> Self:
        """Rename it."""
        return self.from_json(self.session, self.session.request("PATCH", f"/api/tag/{self.id}", json={"name": name}))

    def delete(self) -> None:
        """Delete it; the data that carry it stay."""
        self.session.delete(f"/api/tag/{self.id}")

    def attach_on(self, targets: Record | Iterable[Record]) -> None:
        """Attach it to data; those that carry it already stay as they are."""
        self._post("attach", targets)

    def detach_from(self, targets: Record | Iterable[Record]) -> None:
        """Take it from data."""
        self._post("detach", targets)

    def _post(self, verb: str, targets: Record | Iterable[Record]) -> None:
        data: list[Record] = read_list("targets", targets, Record)
        for chunk in chunks(data):
            # Repeatable: what is attached or detached already stays so.
            path = f"/api/tag/{self.id}/{verb}"
            self.session.request("POST", path, json=[each.id for each in chunk], repeatable=True)


class DataTags:
    """The tags of one datalake.

    :param label: how messages call the datalake.
    """

    def __init__(self, session: Session, datalake_id: UUID, label: str) -> None:
        self._session = session
        self._path = f"/api/datalake/{datalake_id}/tags"
        self._description = label

    def create(self, name: str) -> Tag:
        """Create one.

        :raises ConflictError: the name is taken.
        """
        return Tag.from_json(self._session, self._session.request("POST", self._path, json={"name": name}))

    def get(self, name: str) -> Tag:
        """Return the one of that name.

        :raises NotFoundError: there is none.
        """
        missing = f"no data tag named {name!r} in {self._description}"
        return Tag.from_json(
            self._session, self._session.find(f"{self._path}/find", [("name", name)], missing, self._names)
        )

    def get_or_create(self, name: str) -> Tag:
        """Return the one of that name, made when there is none."""
        return Tag.from_json(self._session, get_or_create(self._session, self._path, name))

    def suggest(self, names: Iterable[str]) -> str:
        """Return the end of a sentence that says which of the names no tag has, and what may be meant."""
        unknown = [name for name in names if not self._is_stored(name)]
        if not unknown:
            return ""
        near = suggest(unknown[0], self._names)
        return f": it has no data tag named {' or '.join(first_lines([repr(name) for name in unknown]))}{near}"

    def _is_stored(self, name: str) -> bool:
        try:
            self._session.request("GET", f"{self._path}/find", params=[("name", name)])
        except NotFoundError:
            return False
        return True

    def _names(self) -> Iterator[str]:
        return (each.name for each in self.list(None, None, None))

    def list(self, limit: int | None, offset: int | None, order_by: Sequence[str] | None) -> Iterator[Tag]:
        """Yield them."""
        for json in list_named(self._session, self._path, limit, offset, order_by):
            yield Tag.from_json(self._session, json)
