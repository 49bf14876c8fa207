"""Reads pages of data from JSON into records, optimized for long lists.

JSON is decoded straight into the structures below, in C, and these are converted to records. Rows of any other shape
are read by the slower :meth:`Data.from_json`, which decides what is tolerated.
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from sys import intern
from typing import Any
from uuid import UUID

import msgspec

from airflow_provider_lake.client.resources.base import Record
from airflow_provider_lake.client.resources.data import Data
from airflow_provider_lake.client.resources.sources import DataSource
from airflow_provider_lake.client.resources.states import UploadStatus
from airflow_provider_lake.client.resources.tags import Tag
from airflow_provider_lake.client.transport.fields import explain_shape, page_items
from airflow_provider_lake.client.transport.session import Session, decode

# Maximum number of cached sets of tags, and of cached sources; most data share a few.
_MAX_CACHED = 1000


class _Size(msgspec.Struct, gc=False):
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    frame_rate: float | None = None
    codec: str | None = None


class _Tag(msgspec.Struct, gc=False, frozen=True):
    id: str
    name: str
    target_type: str


class _Source(msgspec.Struct, gc=False, frozen=True):
    id: str
    name: str


class _Row(msgspec.Struct, gc=False):
    """A data in a response; names and defaults as in :class:`Data`, except for nested objects."""

    id: UUID
    object_name: str
    filename: str
    type: str
    content_type: str
    upload_status: UploadStatus
    upload_error: str | None = None
    meta: _Size | None = None
    metadata: Any = None
    custom_metadata: Any = None
    tags: tuple[_Tag, ...] | None = None
    data_source: _Source | None = None
    file_size: int | None = None
    created_at: datetime | None = None
    presigned_url: str | None = None


class _Page(msgspec.Struct, gc=False):
    items: list[_Row]
    count: int = 0
    next_cursor: str | None = None


_DECODER = msgspec.json.Decoder(_Page)
_NO_SIZE = _Size()
# Setters of the fields: they skip the slower constructor of a frozen dataclass.
(
    _put_id,
    _put_session,
    _put_datalake_id,
    _put_object_name,
    _put_filename,
    _put_type,
    _put_content_type,
    _put_upload_status,
    _put_upload_error,
    _put_width,
    _put_height,
    _put_duration,
    _put_frame_rate,
    _put_codec,
    _put_metadata,
    _put_custom_metadata,
    _put_tags,
    _put_data_source,
    _put_file_size,
    _put_created_at,
    _put_url,
) = (Data.__dict__.get(each.name, Record.__dict__.get(each.name)).__set__ for each in fields(Data))
_new_data = object.__new__


def decode_page(body: bytes) -> Any:
    """Read the JSON of a page of data.

    :return: an argument for :meth:`RowReader.read`.
    :raises ValueError: it is not JSON.
    """
    try:
        return _DECODER.decode(body)
    except ValueError:
        return decode(body)


class RowReader:
    """Makes records from the pages of one list; tags and sources shared by several data are made once."""

    def __init__(self, session: Session, datalake_id: UUID) -> None:
        self._session = session
        self._datalake_id = datalake_id
        self._tags: dict[tuple[_Tag, ...], tuple[Tag, ...]] = {}
        self._sources: dict[_Source, DataSource] = {}

    @explain_shape("page of data")
    def read(self, page: Any) -> Mapping[str, Any]:
        """Return a page from :func:`decode_page`, with records as its items."""
        if isinstance(page, _Page):
            items = [self._make_data(row) for row in page.items]
            return {"items": items, "count": page.count, "next_cursor": page.next_cursor}
        items = [Data.from_json(self._session, self._datalake_id, json) for json in page_items(page)]
        return {**page, "items": items}

    def _make_data(self, row: _Row) -> Data:
        data, size = _new_data(Data), row.meta or _NO_SIZE
        _put_id(data, row.id)
        _put_session(data, self._session)
        _put_datalake_id(data, self._datalake_id)
        _put_object_name(data, row.object_name)
        _put_filename(data, row.filename)
        # A few distinct texts in many rows: each is stored once.
        _put_type(data, intern(row.type))
        _put_content_type(data, intern(row.content_type))
        _put_upload_status(data, row.upload_status)
        _put_upload_error(data, row.upload_error)
        _put_width(data, size.width or None)
        _put_height(data, size.height or None)
        _put_duration(data, size.duration)
        _put_frame_rate(data, size.frame_rate)
        _put_codec(data, size.codec)
        _put_metadata(data, row.metadata)
        _put_custom_metadata(data, row.custom_metadata)
        _put_tags(data, self._tags_of(row.tags) if row.tags else ())
        _put_data_source(data, None if row.data_source is None else self._source_of(row.data_source))
        _put_file_size(data, row.file_size)
        _put_created_at(data, row.created_at)
        _put_url(data, row.presigned_url)
        return data

    def _tags_of(self, read: tuple[_Tag, ...]) -> tuple[Tag, ...]:
        tags = self._tags.get(read)
        if tags is None:
            if len(self._tags) >= _MAX_CACHED:
                self._tags.clear()
            made = [Tag(UUID(tag.id), self._session, tag.name, tag.target_type) for tag in read]
            tags = self._tags[read] = tuple(made)
        return tags

    def _source_of(self, read: _Source) -> DataSource:
        source = self._sources.get(read)
        if source is None:
            if len(self._sources) >= _MAX_CACHED:
                self._sources.clear()
            source = self._sources[read] = DataSource(UUID(read.id), self._session, read.name)
        return source
