"""Processings: programs that the lake runs on data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote
from uuid import UUID

from airflow_provider_lake.client.arguments import read_optional_number, read_optional_value, read_value
from airflow_provider_lake.client.errors import UsageError
from airflow_provider_lake.client.resources.base import Json, Record
from airflow_provider_lake.client.resources.named_collection import NamedCollection
from airflow_provider_lake.client.transport.fields import explain_shape, page_items, require_mapping
from airflow_provider_lake.client.transport.session import Session

# The kind of processing that works on the data of a datalake.
DATALAKE_TARGET = "DATALAKE"


@dataclass(frozen=True, slots=True, eq=False)
class Processing(Record):
    """A program that the lake runs on resources of the kind ``target``.

    :param default_parameters: parameters of a run that is launched without any.
    :param default_cpu: number of processors of a run that is launched without any.
    :param default_gpu: number of graphics processors of a run that is launched without any.
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
    @explain_shape("processing")
    def from_json(cls, session: Session, json: Json) -> Self:
        """Make the record from the lake's response."""
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
        """Read it again and return its present state."""
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
        """Change the given fields."""
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

    def list_processing_inputs(self) -> list[dict[str, Any]]:
        """Return the inputs that it declares, as the lake describes them."""
        return [require_mapping(each) for each in page_items(self.session.request("GET", self._inputs))]

    def add_processing_input(
        self,
        name: str,
        input_type: str,
        required: bool,
        inference_type_constraint: str | None = None,
        framework_constraint: str | None = None,
    ) -> dict[str, Any]:
        """Declare an input, against which launches are checked; return it as the lake describes it.

        :param input_type: ``TEXT``, ``NUMBER``, ``DATALAKE``, ``DATASET``, ``DATASET_VERSION``, ``MODEL`` or
            ``MODEL_VERSION``.
        :raises ConflictError: the name is taken.
        """
        body = {
            "name": name,
            "input_type": input_type,
            "required": required,
            "inference_type_constraint": inference_type_constraint,
            "framework_constraint": framework_constraint,
        }
        added: dict[str, Any] = self.session.request("POST", self._inputs, json=body)
        return added

    def update_processing_input(
        self,
        name: str,
        required: bool,
        inference_type_constraint: str | None = None,
        framework_constraint: str | None = None,
    ) -> dict[str, Any]:
        """Change a declared input; return it as the lake describes it.

        :raises NotFoundError: there is none of this name.
        """
        body = {
            "required": required,
            "inference_type_constraint": inference_type_constraint,
            "framework_constraint": framework_constraint,
        }
        changed: dict[str, Any] = self.session.request("PUT", f"{self._inputs}/{quote(name, safe='')}", json=body)
        return changed

    def delete_processing_input(self, name: str) -> None:
        """Remove the declaration of an input.

        :raises NotFoundError: there is none of this name.
        """
        self.session.delete(f"{self._inputs}/{quote(name, safe='')}")

    def delete(self) -> None:
        """Delete it."""
        self.session.delete(f"/api/processing/{self.id}")

    @property
    def _inputs(self) -> str:
        return f"/api/processing/{self.id}/inputs"


def launch_body(
    processing: Processing,
    data_ids: Sequence[UUID],
    parameters: Mapping[str, Any] | None,
    cpu: int | None,
    gpu: int | None,
    inputs: Mapping[str, Any] | None,
) -> Json:
    """Return the body of the request that launches a processing on data; None stands for the processing's default.

    :raises UsageError: the processing does not work on data, or there are no data.
    """
    if read_value("processing", processing, Processing).target != DATALAKE_TARGET:
        raise UsageError(f"processing {processing.name!r} works on {processing.target}, not on a datalake")
    if not data_ids:
        raise UsageError(f"no data given for processing {processing.name!r}")
    return {
        "processing_id": processing.id,
        "parameters": read_optional_value("parameters", parameters, Mapping),
        "data_ids": data_ids,
        "cpu": read_optional_number("cpu", cpu),
        "gpu": read_optional_number("gpu", gpu),
        "inputs": read_optional_value("inputs", inputs, Mapping) or {},
    }


def processings(session: Session) -> NamedCollection[Processing]:
    """Return the processings of the session's organization."""
    path = f"/api/organization/{session.organization_id}/processings"
    return NamedCollection(session, path, Processing.from_json, "processing", f"organization {session.organization_id}")


def get_public_processing(session: Session, name: str) -> Processing:
    """Return the public processing of this name, which the lake offers to every organization.

    :raises NotFoundError: there is none.
    """
    missing = f"no public processing named {name!r}"
    params = [("name", name)]
    json = session.find("/api/processings/public/find", params, missing, processings(session).list_names)
    return Processing.from_json(session, json)
