"""Imports in requests and responses."""

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
    # Not in the reference: its clients do not send it, and ours checks first that a lake supports it.
    check_files: CheckFiles = CheckFiles.HEADER

    @model_serializer(mode="wrap")
    def _omit_unset(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Omit the default of ``check_files``, so that the digest of a request is that of earlier versions."""
        body: dict[str, Any] = serialize(self)
        if body.get("check_files") == CheckFiles.HEADER:
            del body["check_files"]
        return body


class ProjectionDetails(BaseModel):
    """One projection of a data, and the object that holds it."""

    name: Name
    object_name: str


class ProjectionImportBody(BaseModel):
    """Projections to import, by the object name of their data."""

    projections: Annotated[
        dict[str, Annotated[list[ProjectionDetails], Field(min_length=1)]], Field(min_length=1, max_length=MAX_OBJECTS)
    ]
