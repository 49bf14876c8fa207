"""Data sources: where data come from, a camera for instance."""

from dataclasses import dataclass
from typing import Self
from uuid import UUID

from airflow_provider_lake.client.resources.base import Json, Record
from airflow_provider_lake.client.resources.named_collection import NamedCollection
from airflow_provider_lake.client.transport.fields import explain_shape
from airflow_provider_lake.client.transport.session import Session


@dataclass(frozen=True, slots=True, eq=False)
class DataSource(Record):
    """The source of data; all datalakes of an organization share its sources."""

    name: str

    @classmethod
    @explain_shape("data source")
    def from_json(cls, session: Session, json: Json) -> Self:
        """Make the record from the lake's response."""
        return cls(UUID(json["id"]), session, json["name"])

    def refresh(self) -> Self:
        """Read it again and return its present state."""
        return self.from_json(self.session, self.session.request("GET", f"/api/data/source/{self.id}"))

    def update(self, name: str) -> Self:
        """Rename it."""
        path = f"/api/data/source/{self.id}"
        return self.from_json(self.session, self.session.request("PATCH", path, json={"name": name}))

    def delete(self) -> None:
        """Delete it; its data stay, without a source."""
        self.session.delete(f"/api/data/source/{self.id}")


def data_sources(session: Session) -> NamedCollection[DataSource]:
    """Return the data sources of the session's organization."""
    path = f"/api/organization/{session.organization_id}/datasources"
    return NamedCollection(
        session, path, DataSource.from_json, "data source", f"organization {session.organization_id}"
    )
