"""Imports on the wire."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, SerializerFunctionWrapHandler, model_serializer

from airflow_provider_lake.server.http.schemas.data import MAX_IDS, ObjectDetails
from airflow_provider_lake.server.http.schemas.names import Name
from airflow_provider_lake.server.store.states import CheckFiles

MAX_OBJECTS = 500


class ImportBody(BaseModel):
    """Objects to import: all under some prefixes, or those of a list."""

    prefixes: Annotated[list[str], Field(min_length=1, max_length=MAX_OBJECTS)] | None = None
    tag_ids: Annotated[list[UUID], Field(max_length=MAX_IDS)] = []
    data_source_id: UUID | None = None
    objects: Annotated[dict[str, ObjectDetails], Field(min_length=1, max_length=MAX_OBJECTS)] | None = None
    # Not the platform's: its clients do not send it, and ours asks first whether a lake knows it.
    check_files: CheckFiles = CheckFiles.HEADER

    @model_serializer(mode="wrap")
    def _omit_unset(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out the ordinary way to check files: so a request means the same to a lake of an earlier version."""
        said: dict[str, Any] = serialize(self)
        if said.get("check_files") == CheckFiles.HEADER:
            del said["check_files"]
        return said


class ProjectionDetails(BaseModel):
    """One projection of a data, and the object that holds it."""

    name: Name
    object_name: str


class ProjectionImportBody(BaseModel):
    """Projections to import, by the object name of their data."""

    projections: Annotated[
        dict[str, Annotated[list[ProjectionDetails], Field(min_length=1)]], Field(min_length=1, max_length=MAX_OBJECTS)
    ]
