"""Processings in requests and responses."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from airflow_provider_lake.server.http.schemas.names import Name
from airflow_provider_lake.server.store.tables import NAME_LENGTH, Processing

ShortText = Annotated[str, Field(max_length=NAME_LENGTH)]
Count = Annotated[int, Field(ge=0, le=1024)]


class ProcessingChanges(BaseModel):
    """The fields of a processing that can change; those not sent do not change."""

    description: str | None = None
    type: ShortText | None = None
    default_cpu: Count = 1
    default_gpu: Count = 0
    default_parameters: dict[str, Any] = {}
    docker_image: ShortText | None = None
    docker_tag: ShortText | None = None
    docker_flags: list[str] | None = None


class NewProcessing(ProcessingChanges):
    """A processing to create."""

    name: Name
    target: Literal["DATALAKE"] = "DATALAKE"


class Launch(BaseModel):
    """A launch of a processing on data; None: the processing's default."""

    processing_id: UUID
    parameters: dict[str, Any] | None = None
    data_ids: list[UUID]
    cpu: Count | None = None
    gpu: Count | None = None
    inputs: dict[str, Any] = {}


def processing_json(processing: Processing) -> dict[str, Any]:
    """Describe a processing."""
    return {
        "id": processing.id,
        "name": processing.name,
        "target": processing.target,
        "description": processing.description,
        "type": processing.type,
        "default_cpu": processing.default_cpu,
        "default_gpu": processing.default_gpu,
        "default_parameters": processing.default_parameters,
        # The reference's client accepts no null here, and a command has no image.
        "docker_image": processing.docker_image or "",
        "docker_tag": processing.docker_tag or "",
        "docker_flags": processing.docker_flags,
    }
