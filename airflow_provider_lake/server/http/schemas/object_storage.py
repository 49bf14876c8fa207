"""Request bodies for uploads and downloads."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from airflow_provider_lake.server.http.schemas.data import Filename, ObjectName
from airflow_provider_lake.server.http.schemas.names import Name

MAX_PARTS = 10_000


class ObjectKind(StrEnum):
    """What an object is for."""

    DATA = "DATA"
    DATA_PROJECTION = "DATA_PROJECTION"
    LOGGING = "LOGGING"


class NewObjectBody(BaseModel):
    """An object that needs a name."""

    filename: Filename
    type: ObjectKind
    upload_dir: ObjectName | None = None


class ObjectBody(BaseModel):
    """A named object."""

    object_name: ObjectName


class TypedObjectBody(ObjectBody):
    """A named object and its type."""

    content_type: Name


class PartBody(ObjectBody):
    """One part of an upload."""

    upload_id: UUID
    part_no: Annotated[int, Field(ge=1, le=MAX_PARTS)]


class UploadedPart(BaseModel):
    """One part that was uploaded, and how the storage named it."""

    ETag: Name
    PartNumber: Annotated[int, Field(ge=1, le=MAX_PARTS)]


class CompletionBody(ObjectBody):
    """All parts of an upload."""

    upload_id: UUID
    parts: Annotated[list[UploadedPart], Field(min_length=1, max_length=MAX_PARTS)]
