"""Data: images and videos of a datalake."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeVar
from uuid import UUID

from airflow_provider_lake.client.download import read_stored, save_stored
from airflow_provider_lake.client.errors import DataTimeoutError, UsageError
from airflow_provider_lake.client.http import Session
from airflow_provider_lake.client.paging import chunks
from airflow_provider_lake.client.projections import Projection
from airflow_provider_lake.client.records import Json, Record, parse_moment, read_id
from airflow_provider_lake.client.sources import DataSource
from airflow_provider_lake.client.states import UploadStatus
from airflow_provider_lake.client.tags import Tag

# How many data one call changes.
BULK_SIZE = 100
# How many sets of tags are remembered; most data share few.
_MOST_KNOWN = 1000
_D = TypeVar("_D", bound="Data")


@dataclass(frozen=True, slots=True, eq=False)
class Data(Record):
    """An image or a video of a datalake.

    :param object_name: where its bytes lie in the object storage.
    :param type: ``IMAGE`` or ``VIDEO``.
    :param upload_error: why its upload status is ERROR, when the lake says.
    :param width: in pixels, as displayed; None until the lake knows.
    :param height: likewise.
    :param metadata: under the platform's own keys.
    :param custom_metadata: under the user's keys.
    :param file_size: in bytes.
    :param url: signed URL of its bytes; good for about an hour after the data was read.
    """

    datalake_id: UUID
    object_name: str
    filename: str
    type: str
    content_type: str
    upload_status: UploadStatus
    upload_error: str | None = None
    width: int | None = None
    height: int | None = None
    metadata: Mapping[str, Any] | None = None
    custom_metadata: Mapping[str, Any] | None = None
    tags: tuple[Tag, ...] = ()
    data_source: DataSource | None = None
    file_size: int | None = None
    created_at: datetime | None = None
    url: str | None = field(default=None, repr=False)

    @classmethod
    def from_json(cls, session: Session, datalake_id: UUID, json: Json, known: "Known | None" = None) -> Self:
        """Make the record of what the lake answered.

        :param known: tags and sources that other data of the same answers carry, to be shared.
        """
        meta, source = json.get("meta") or {}, json.get("data_source")
        known = known or Known(session)
        return _make(
            cls,
            read_id(json["id"]),
            session,
            datalake_id,
            json["object_name"],
            json["filename"],
            json["type"],
            json["content_type"],
            _STATUSES.get(json["upload_status"]) or UploadStatus(json["upload_status"]),
            json.get("upload_error"),
            meta.get("width") or None,
            meta.get("height") or None,
            json.get("metadata"),
            json.get("custom_metadata"),
            known.tags(json.get("tags") or ()),
            None if source is None else known.source(source),
            json.get("file_size"),
            parse_moment(json.get("created_at")),
            json.get("presigned_url"),
        )

    def refresh(self) -> Self:
        """Read it again."""
        return self.from_json(self.session, self.datalake_id, self.session.request("GET", self._path))

    def wait_for_upload_done(self, blocking_time_increment: float = 1.0, attempts: int = 20) -> Self:
        """Wait until the lake has processed it, successfully or not, and return it as it is then.

        :param blocking_time_increment: seconds between two looks at it.
        :param attempts: number of looks.
        :raises DataTimeoutError: it was not processed at the last look.
        """
        data = self
        for attempt in range(attempts):
            if attempt:
                time.sleep(blocking_time_increment)
            data = data.refresh()
            if data.upload_status.is_final:
                return data
        raise DataTimeoutError([data])

    def add_tags(self, tags: Tag | Iterable[Tag]) -> None:
        """Attach tags to it."""
        for tag in [tags] if isinstance(tags, Tag) else tags:
            tag.attach_on(self)

    def remove_tags(self, tags: Tag | Iterable[Tag]) -> None:
        """Take tags from it."""
        for tag in [tags] if isinstance(tags, Tag) else tags:
            tag.detach_from(self)

    def update_metadata(self, metadata: Mapping[str, Any] | None) -> Self:
        """Replace its metadata; latitude and longitude go only together."""
        json = self.session.request("PATCH", self._path, json={"metadata": metadata})
        return self.from_json(self.session, self.datalake_id, json)

    def update_custom_metadata(self, custom_metadata: Mapping[str, Any] | None) -> Self:
        """Replace its custom metadata."""
        self.session.request("PATCH", f"{self._path}/custom-metadata", json={"custom_metadata": custom_metadata})
        return self.refresh()

    def delete(self) -> None:
        """Delete it, with its bytes."""
        self.session.delete(self._path)

    def reset_url(self) -> str:
        """Return a freshly signed URL of its bytes."""
        url: str = self.session.request("GET", f"{self._path}/presigned-url")["presigned_url"]
        return url

    def read(self) -> bytes:
        """Return its bytes."""
        return read_stored(self)

    def download(self, target_path: str | Path = "./", force_replace: bool = False, use_id: bool = False) -> Path:
        """Save its bytes as a file.

        :param target_path: folder, made when missing.
        :param force_replace: replace a file that is there already; it stays otherwise.
        :param use_id: name the file after the data's id, with the extension of its filename.
        :return: path of the file.
        """
        return save_stored(self, target_path, force_replace, use_id)

    def list_projections(self) -> list[Projection]:
        """Return the files that are shown along with it."""
        page = self.session.request("GET", f"{self._path}/projections")
        return [Projection.from_json(self.session, json) for json in page["items"]]

    @property
    def _path(self) -> str:
        return f"/api/data/{self.id}"


class Known:
    """Tags and sources as they stand in the lake's answers, each made once for all data that carry it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._tags: dict[tuple[str, ...], tuple[Tag, ...]] = {}
        self._sources: dict[tuple[str, str], DataSource] = {}

    def tags(self, json: Sequence[Json]) -> tuple[Tag, ...]:
        """Return the tags of a data."""
        key = tuple([tag[what] for tag in json for what in ("id", "name")])
        tags = self._tags.get(key)
        if tags is None:
            if len(self._tags) >= _MOST_KNOWN:
                self._tags.clear()
            tags = self._tags[key] = tuple([Tag.from_json(self._session, tag) for tag in json])
        return tags

    def source(self, json: Json) -> DataSource:
        """Return a data source."""
        key = json["id"], json["name"]
        source = self._sources.get(key)
        if source is None:
            source = self._sources[key] = DataSource.from_json(self._session, json)
        return source


_STATUSES = {str(status): status for status in UploadStatus}
_SETTERS = tuple(Data.__dict__.get(each.name, Record.__dict__.get(each.name)).__set__ for each in fields(Data))


def _make(cls: type[_D], *values: Any) -> _D:
    """Make a record of the values of all its fields, in half the time that the constructor of a frozen one takes."""
    data = object.__new__(cls)
    for put, value in zip(_SETTERS, values, strict=True):
        put(data, value)
    return data


def update_data(session: Session, datalake_id: UUID, objects: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Change several data of a datalake, as many at a time as one call takes."""
    if not objects:
        raise UsageError("no data given to update")
    changes = completed({str(data_id): given for data_id, given in objects.items()})
    for chunk in chunks(list(changes.items()), BULK_SIZE):
        body = {"datalake_id": datalake_id, "objects": dict(chunk)}
        session.request("PATCH", f"/api/datalake/{datalake_id}/data/bulk", json=body)


def completed(objects: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return what objects get with everything that is not said as None."""
    nothing: dict[str, Any] = {"metadata": None, "custom_metadata": None, "tags": [], "data_source": None}
    return {name: nothing | dict(given) for name, given in objects.items()}
