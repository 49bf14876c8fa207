"""Processings: programs that the lake runs on data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from airflow_provider_lake.client.http import Session
from airflow_provider_lake.client.paging import list_named
from airflow_provider_lake.client.records import Json, Record

# The kind of processing that works on the data of a datalake.
DATALAKE_TARGET = "DATALAKE"


@dataclass(frozen=True, slots=True, eq=False)
class Processing(Record):
    """A program that the lake runs on what ``target`` names.

    :param default_parameters: what a run gets that names no parameters of its own.
    :param default_cpu: processors of a run that names no number.
    :param default_gpu: graphics processors of a run that names no number.
    """

    name: str
    target: str
    type: str | None = None
    description: str | None = None
    default_cpu: int | None = None
    default_gpu: int | None = None
    default_parameters: Mapping[str, Any] | None = None
    docker_image: str | None = None
    docker_tag: str | None = None
    docker_flags: Sequence[str] | None = None

    @classmethod
    def from_json(cls, session: Session, json: Json) -> Self:
        """Make the record of what the lake answered."""
        optional = (
            "type",
            "description",
            "default_cpu",
            "default_gpu",
            "default_parameters",
            "docker_image",
            "docker_tag",
            "docker_flags",
        )
        return cls(
            UUID(json["id"]), session, json["name"], json["target"], **{name: json.get(name) for name in optional}
        )

    def refresh(self) -> Self:
        """Read it again."""
        return self.from_json(self.session, self.session.request("GET", f"/api/processing/{self.id}"))

    def update(
        self,
        docker_image: str | None = None,
        docker_tag: str | None = None,
        description: str | None = None,
        default_parameters: Mapping[str, Any] | None = None,
        default_cpu: int | None = None,
        default_gpu: int | None = None,
    ) -> Self:
        """Change what is given."""
        changes = {
            "docker_image": docker_image,
            "docker_tag": docker_tag,
            "description": description,
            "default_parameters": default_parameters,
            "default_cpu": default_cpu,
            "default_gpu": default_gpu,
        }
        given = {name: value for name, value in changes.items() if value is not None}
        return self.from_json(self.session, self.session.request("PATCH", f"/api/processing/{self.id}", json=given))

    def delete(self) -> None:
        """Delete it."""
        self.session.delete(f"/api/processing/{self.id}")


class Processings:
    """The processings of the session's organization."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._path = f"/api/organization/{session.organization_id}/processings"

    def create(self, json: Json) -> Processing:
        """Create one.

        :raises ConflictError: the name is taken.
        """
        return Processing.from_json(self._session, self._session.request("POST", self._path, json=json))

    def get(self, name: str) -> Processing:
        """Return the one of that name.

        :raises NotFoundError: there is none.
        """
        missing = f"no processing named {name!r} in organization {self._session.organization_id}"
        return Processing.from_json(self._session, self._session.find(f"{self._path}/find", [("name", name)], missing))

    def get_public(self, name: str) -> Processing:
        """Return the one of that name among those that the lake offers to everyone.

        :raises NotFoundError: there is none.
        """
        missing = f"no public processing named {name!r}"
        json = self._session.find("/api/processings/public/find", [("name", name)], missing)
        return Processing.from_json(self._session, json)

    def list(self, limit: int | None, offset: int | None, order_by: Sequence[str] | None) -> Iterator[Processing]:
        """Yield them."""
        for json in list_named(self._session, self._path, limit, offset, order_by):
            yield Processing.from_json(self._session, json)
