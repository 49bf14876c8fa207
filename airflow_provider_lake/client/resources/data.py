"""Data: images and videos of a datalake."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from airflow_provider_lake.client.arguments import read_list, read_number, read_optional_list, read_seconds, read_value
from airflow_provider_lake.client.concurrency.cancellation import pause
from airflow_provider_lake.client.errors import DataTimeoutError, UsageError
from airflow_provider_lake.client.resources.base import Json, Record, parse_id, parse_timestamp
from airflow_provider_lake.client.resources.projections import Projection
from airflow_provider_lake.client.resources.sources import DataSource
from airflow_provider_lake.client.resources.states import UploadStatus
from airflow_provider_lake.client.resources.tags import Tag
from airflow_provider_lake.client.transfers.download import read_bytes, save_record
from airflow_provider_lake.client.transport.fields import explain_shape, page_items, read_field
from airflow_provider_lake.client.transport.paging import chunks
from airflow_provider_lake.client.transport.retry import Attempts
from airflow_provider_lake.client.transport.session import Session

# How many data one request changes.
BULK_SIZE = 100


@dataclass(frozen=True, slots=True, eq=False)
class Data(Record):
    """An image or a video of a datalake.

    :param object_name: name of the object that holds its bytes.
    :param type: ``IMAGE`` or ``VIDEO``.
    :param upload_error: why its upload status is ERROR, if the lake reports it.
    :param width: in pixels, as displayed; None until the lake knows.
    :param height: likewise.
    :param duration: of a video, in seconds, if the lake reports it.
    :param frame_rate: of a video, in frames per second, likewise.
    :param codec: of a video, such as ``h264``, likewise.
    :param metadata: under the platform's own keys.
    :param custom_metadata: under the user's keys.
    :param file_size: in bytes.
    :param url: presigned URL of its bytes; valid for about an hour after the data was read.
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
    duration: float | None = None
    frame_rate: float | None = None
    codec: str | None = None
    metadata: Mapping[str, Any] | None = None
    custom_metadata: Mapping[str, Any] | None = None
    tags: tuple[Tag, ...] = ()
    data_source: DataSource | None = None
    file_size: int | None = None
    created_at: datetime | None = None
    url: str | None = field(default=None, repr=False)

    @classmethod
    @explain_shape("data")
    def from_json(cls, session: Session, datalake_id: UUID, json: Json) -> Self:
        """Make the record from the lake's response."""
        meta, source = json.get("meta") or {}, json.get("data_source")
        return cls(
            UUID(json["id"]),
            session,
            datalake_id,
            json["object_name"],
            json["filename"],
            json["type"],
            json["content_type"],
            UploadStatus(json["upload_status"]),
            json.get("upload_error"),
            meta.get("width") or None,
            meta.get("height") or None,
            meta.get("duration"),
            meta.get("frame_rate"),
            meta.get("codec"),
            json.get("metadata"),
            json.get("custom_metadata"),
            tuple(Tag.from_json(session, tag) for tag in json.get("tags") or ()),
            None if source is None else DataSource.from_json(session, source),
            json.get("file_size"),
            parse_timestamp(json.get("created_at")),
            json.get("presigned_url"),
        )

    def refresh(self) -> Self:
        """Read it again and return its present state."""
        return self.from_json(self.session, self.datalake_id, self.session.request("GET", self._path))

    def wait_for_upload_done(self, blocking_time_increment: float = 1.0, attempts: int = 20) -> Self:
        """Wait until the lake has processed it, successfully or not, and return it in its new state.

        :param blocking_time_increment: seconds between two polls.
        :param attempts: number of polls.
        :raises DataTimeoutError: it was not processed at the last poll.
        """
        data = self
        for attempt in range(read_number("attempts", attempts)):
            if attempt:
                pause(read_seconds("blocking_time_increment", blocking_time_increment))
            data = data.refresh()
            if data.upload_status.is_final:
                return data
        raise DataTimeoutError([data])

    def add_tags(self, tags: Tag | Iterable[Tag]) -> None:
        """Attach tags to it."""
        for tag in read_list("tags", tags, Tag):
            tag.attach_on(self)

    def remove_tags(self, tags: Tag | Iterable[Tag]) -> None:
        """Remove tags from it."""
        for tag in read_list("tags", tags, Tag):
            tag.detach_from(self)

    def update_metadata(self, metadata: Mapping[str, Any] | None) -> Self:
        """Replace its metadata; latitude and longitude must be given together."""
        json = self.session.request("PATCH", self._path, json={"metadata": metadata})
        return self.from_json(self.session, self.datalake_id, json)

    def update_custom_metadata(self, custom_metadata: Mapping[str, Any] | None) -> Self:
        """Replace its custom metadata."""
        self.session.request("PATCH", f"{self._path}/custom-metadata", json={"custom_metadata": custom_metadata})
        return self.refresh()

    def delete(self) -> None:
        """Delete it, with its bytes."""
        self.session.delete(self._path)

    def reset_url(self, attempts: Attempts | None = None) -> str:
        """Return a fresh presigned URL of its bytes.

        :param attempts: those of the download that needs the URL.
        """
        path = f"{self._path}/presigned-url"
        return read_field(self.session.request("GET", path, attempts=attempts), "presigned_url", str)

    def read(self) -> bytes:
        """Return its bytes."""
        return read_bytes(self)

    def download(self, target_path: str | Path = "./", force_replace: bool = False, use_id: bool = False) -> Path:
        """Save its bytes as a file.

        :param target_path: folder, created when missing.
        :param force_replace: replace an existing file; otherwise it stays as it is.
        :param use_id: name the file after the data's id, with the extension of its filename.
        :return: path of the file.
        """
        return save_record(self, target_path, force_replace, use_id)

    def list_projections(self) -> list[Projection]:
        """Return its projections."""
        page = self.session.request("GET", f"{self._path}/projections")
        return [Projection.from_json(self.session, json) for json in page_items(page)]

    @property
    def _path(self) -> str:
        return f"/api/data/{self.id}"


def update_data(session: Session, datalake_id: UUID, objects: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Change several data of a datalake, in as few requests as possible."""
    if not read_value("objects", objects, Mapping):
        raise UsageError("no data given to update")
    changes = normalize_updates({str(parse_id(data_id)): given for data_id, given in objects.items()})
    for chunk in chunks(list(changes.items()), BULK_SIZE):
        body = {"datalake_id": datalake_id, "objects": dict(chunk)}
        session.request("PATCH", f"/api/datalake/{datalake_id}/data/bulk", json=body)


def normalize_updates(objects: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the changes of each data, with an empty value for every field that is not given."""
    nothing: dict[str, Any] = {"metadata": None, "custom_metadata": None, "tags": [], "data_source": None}
    return {name: _completed(name, nothing, given) for name, given in objects.items()}


def _completed(name: str, nothing: Mapping[str, Any], given: Any) -> dict[str, Any]:
    normalize_updates = {**nothing, **read_value(f"what {name} gets", given, Mapping)}
    return normalize_updates | {"tags": read_optional_list(f"tags of {name}", normalize_updates["tags"], str) or []}
