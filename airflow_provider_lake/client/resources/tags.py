"""Data tags."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from airflow_provider_lake.client.arguments import read_list
from airflow_provider_lake.client.resources.base import Json, Record
from airflow_provider_lake.client.resources.named_collection import NamedCollection
from airflow_provider_lake.client.transport.fields import explain_shape
from airflow_provider_lake.client.transport.paging import chunks
from airflow_provider_lake.client.transport.session import Session


@dataclass(frozen=True, slots=True, eq=False)
class Tag(Record):
    """A label on data of one datalake.

    :param target_type: what it can be attached to; ``DATA``.
    """

    name: str
    target_type: str

    @classmethod
    @explain_shape("tag")
    def from_json(cls, session: Session, json: Json) -> Self:
        """Make the record from the lake's response."""
        return cls(UUID(json["id"]), session, json["name"], json["target_type"])

    def refresh(self) -> Self:
        """Read it again and return its present state."""
        return self.from_json(self.session, self.session.request("GET", f"/api/tag/{self.id}"))

    def update(self, name: str) -> Self:
        """Rename it."""
        return self.from_json(self.session, self.session.request("PATCH", f"/api/tag/{self.id}", json={"name": name}))

    def delete(self) -> None:
        """Delete it; the data that have it stay."""
        self.session.delete(f"/api/tag/{self.id}")

    def attach_on(self, targets: Record | Iterable[Record]) -> None:
        """Attach it to data; those that have it already stay unchanged."""
        self._post("attach", targets)

    def detach_from(self, targets: Record | Iterable[Record]) -> None:
        """Remove it from data."""
        self._post("detach", targets)

    def _post(self, verb: str, targets: Record | Iterable[Record]) -> None:
        data: list[Record] = read_list("targets", targets, Record)
        for chunk in chunks(data):
            # Repeatable: attaching or detaching twice changes nothing.
            path = f"/api/tag/{self.id}/{verb}"
            self.session.request("POST", path, json=[each.id for each in chunk], repeatable=True)


def data_tags(session: Session, datalake_id: UUID, owner: str) -> NamedCollection[Tag]:
    """Return the tags of one datalake.

    :param owner: the datalake's name in messages.
    """
    return NamedCollection(session, f"/api/datalake/{datalake_id}/tags", Tag.from_json, "data tag", owner)
