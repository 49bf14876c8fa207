"""Data in requests and responses."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from orjson import Fragment
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    StringConstraints,
    field_validator,
    model_validator,
)

from airflow_provider_lake.server.blobs.names import check_filename, check_object_name
from airflow_provider_lake.server.errors import BadRequestError
from airflow_provider_lake.server.http.schemas.names import Name
from airflow_provider_lake.server.http.schemas.sources import source_json
from airflow_provider_lake.server.http.schemas.tags import tag_json
from airflow_provider_lake.server.store.queries.listing import DESCRIBED, Listing
from airflow_provider_lake.server.store.states import DataType, UploadStatus
from airflow_provider_lake.server.store.tables import Data

MAX_IDS = 1000
MAX_BULK = 100
MAX_PIXELS_A_SIDE = 1 << 31

Text = Annotated[str, StringConstraints(max_length=128)]


def _checked(check: Any) -> AfterValidator:
    """Turn the error of a check into one of pydantic's."""

    def validate(value: str) -> str:
        try:
            return str(check(value))
        except BadRequestError as error:
            raise ValueError(error.message) from None

    return AfterValidator(validate)


ObjectName = Annotated[str, _checked(check_object_name)]
Filename = Annotated[str, _checked(check_filename)]


class Metadata(BaseModel):
    """Metadata of a data: the keys that the reference knows."""

    model_config = ConfigDict(extra="forbid", strict=True)

    latitude: Annotated[FiniteFloat, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[FiniteFloat, Field(ge=-180, le=180)] | None = None
    altitude: FiniteFloat | None = None
    resolution_x: FiniteFloat | None = None
    resolution_y: FiniteFloat | None = None
    yaw: FiniteFloat | None = None
    pitch: FiniteFloat | None = None
    roll: FiniteFloat | None = None
    focal_length: FiniteFloat | None = None
    sensor_width: FiniteFloat | None = None
    acquired_at: Annotated[datetime, Field(strict=False)] | None = None
    weather: Annotated[str, StringConstraints(max_length=1024)] | None = None
    acquired_by: Text | None = None
    resolution_unit: Text | None = None
    compression: Text | None = None
    manufacturer: Text | None = None
    software: Text | None = None
    color_space: Text | None = None
    custom_id: Text | None = None
    reference: Text | None = None
    brand: Text | None = None
    region_of_interest: Text | None = None

    @model_validator(mode="after")
    def _check_position(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("latitude and longitude go together")
        return self


def check_metadata(metadata: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return valid metadata unchanged."""
    if metadata is not None:
        Metadata.model_validate(metadata)
    return metadata


CheckedMetadata = Annotated[dict[str, Any] | None, AfterValidator(check_metadata)]


class Dimensions(BaseModel):
    """Size of an image as displayed, in pixels."""

    width: Annotated[int, Field(ge=0, lt=MAX_PIXELS_A_SIDE)] | None = None
    height: Annotated[int, Field(ge=0, lt=MAX_PIXELS_A_SIDE)] | None = None


class DataBody(BaseModel):
    """A data to create of a stored object."""

    type: DataType
    filename: Filename
    object_name: ObjectName
    content_type: Name
    tags: Annotated[list[UUID], Field(max_length=MAX_IDS)] = []
    data_source_id: UUID | None = None
    meta: Dimensions | None = None
    metadata: CheckedMetadata = None
    custom_metadata: dict[str, Any] | None = None

    @field_validator("tags")
    @classmethod
    def _unique_tags(cls, tags: list[UUID]) -> list[UUID]:
        return list(dict.fromkeys(tags))


class MetadataBody(BaseModel):
    """The metadata of a data, in place of what it has."""

    metadata: CheckedMetadata


class CustomMetadataBody(BaseModel):
    """The custom metadata of a data, in place of what it has."""

    custom_metadata: dict[str, Any] | None


class IdsBody(BaseModel):
    """Ids of data."""

    ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_IDS)]


class ObjectDetails(BaseModel):
    """Fields of an imported data; tags and source by name, created if missing."""

    metadata: CheckedMetadata = None
    custom_metadata: dict[str, Any] | None = None
    tags: Annotated[list[Name], Field(max_length=MAX_IDS)] = []
    data_source: Name | None = None

    @field_validator("tags", mode="before")
    @classmethod
    def _default_tags(cls, tags: Any) -> Any:
        return [] if tags is None else tags


class BulkBody(BaseModel):
    """Changes of several data; fields that are None do not change, and tags are added."""

    objects: Annotated[dict[UUID, ObjectDetails], Field(min_length=1, max_length=MAX_BULK)]


class ListBody(BaseModel):
    """Data to list, by ids, object names or file names."""

    ids: Annotated[list[UUID], Field(max_length=MAX_IDS)] | None = None
    object_names: Annotated[list[str], Field(max_length=MAX_IDS)] | None = None
    filenames: Annotated[list[str], Field(max_length=MAX_IDS)] | None = None
    q: str | None = None
    upload_statuses: list[UploadStatus] | None = None
    types: list[DataType] | None = None


def data_json(data: Data, presigned_url: str | None) -> dict[str, Any]:
    """Describe a data; ``presigned_url`` downloads its bytes."""
    values = [getattr(data, name) for name in DESCRIBED]
    source = None if data.data_source is None else source_json(data.data_source)
    return _data_json(presigned_url, [tag_json(tag) for tag in data.tags], source, *values)


def data_list_json(listing: Listing, presigned_urls: Iterable[str]) -> list[dict[str, Any]]:
    """Describe data of a list; each of the URLs downloads the bytes of one."""
    tags = {tag_id: tag_json(tag) for tag_id, tag in listing.tags.items()}
    sources = {source_id: source_json(source) for source_id, source in listing.sources.items()}
    return [
        _data_json(
            url,
            [tags[tag_id] for tag_id in listing.tag_ids.get(position, ())],
            sources.get(source_id),
            metadata and Fragment(metadata),
            custom_metadata and Fragment(custom_metadata),
            *described,
        )
        for url, (position, source_id, metadata, custom_metadata, *described) in zip(
            presigned_urls, listing.rows, strict=True
        )
    ]


def _data_json(
    presigned_url: str | None,
    tags: list[dict[str, Any]],
    source: dict[str, Any] | None,
    metadata: dict[str, Any] | Fragment | None,
    custom_metadata: dict[str, Any] | Fragment | None,
    data_id: UUID | str,
    object_name: str,
    filename: str,
    kind: str,
    content_type: str,
    upload_status: str,
    upload_error: str | None,
    file_size: int | None,
    created_at: datetime,
    width: int | None,
    height: int | None,
    duration: float | None,
    frame_rate: float | None,
    codec: str | None,
) -> dict[str, Any]:
    """Describe a data by the values of ``DESCRIBED``."""
    # The reference's client requires numbers; 0 means unknown.
    meta: dict[str, Any] = {"width": width or 0, "height": height or 0}
    if codec is not None:
        # Only of videos; the reference's client ignores these.
        meta |= {"duration": duration, "frame_rate": frame_rate, "codec": codec}
    return {
        "id": data_id,
        "object_name": object_name,
        "filename": filename,
        "type": kind,
        "content_type": content_type,
        "upload_status": upload_status,
        "upload_error": upload_error,
        "file_size": file_size,
        "created_at": created_at,
        "presigned_url": presigned_url,
        "meta": meta,
        "metadata": metadata,
        "custom_metadata": custom_metadata,
        "tags": tags,
        "data_source": source,
    }
