"""Data sources: where data come from, a camera for instance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from airflow_provider_lake.client.resources.base import Json, Record
from airflow_provider_lake.client.resources.names import get_or_create
from airflow_provider_lake.client.transport.fields import explain_shape
from airflow_provider_lake.client.transport.paging import list_named
from airflow_provider_lake.client.transport.session import Session


@dataclass(frozen=True, slots=True, eq=False)
class DataSource(Record):
    """Where data come from; one organization's datalakes share their sources."""

    name: str

    @classmethod
    @explain_shape("data source")
    def from_json(cls, session: Session, json: Json) -> Self:
        """Make the record of what the lake answered."""
        return cls(UUID(json["id"]), session, json["name"])

    def refresh(self) -> Self:
        """Read it again."""
        return self.from_json(self.session, self.session.request("GET", f"/api/data/source/{self.id}"))

    def update(self, name: str) -> Self:
        """Rename it."""
        path = f"/api/data/source/{self.id}"
        return self.from_json(self.session, self.session.request("PATCH", path, json={"name": name}))

    def delete(self) -> None:
        """Delete it; its data stay, without source."""
        self.session.delete(f"/api/data/source/{self.id}")


class DataSources:
    """The sources of the session's organization."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._path = f"/api/organization/{session.organization_id}/datasources"

    def create(self, name: str) -> DataSource:
        """Create one.

        :raises ConflictError: the name is taken.
        """
        return DataSource.from_json(self._session, self._session.request("POST", self._path, json={"name": name}))

    def get(self, name: str) -> DataSource:
        """Return the one of that name.

        :raises NotFoundError: there is none.
        """
        missing = f"no data source named {name!r} in organization {self._session.organization_id}"
        return DataSource.from_json(
            self._session, self._session.find(f"{self._path}/find", [("name", name)], missing, self._names)
        )

    def get_or_create(self, name: str) -> DataSource:
        """Return the one of that name, made when there is none."""
        return DataSource.from_json(self._session, get_or_create(self._session, self._path, name))

    def _names(self) -> Iterator[str]:
        return (each.name for each in self.list(None, None, None))

    def list(self, limit: int | None, offset: int | None, order_by: Sequence[str] | None) -> Iterator[DataSource]:
        """Yield them."""
        for json in list_named(self._session, self._path, limit, offset, order_by):
            yield DataSource.from_json(self._session, json)
