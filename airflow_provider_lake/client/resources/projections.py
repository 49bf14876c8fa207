"""Projections: further files that belong to a data, such as masks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from airflow_provider_lake.client.errors import LakeError, UploadError
from airflow_provider_lake.client.resources.base import Json, Record
from airflow_provider_lake.client.transfers.download import read_bytes, save_record
from airflow_provider_lake.client.transfers.files import open_file
from airflow_provider_lake.client.transfers.image_files import read_image_header
from airflow_provider_lake.client.transfers.storage import ObjectStorage
from airflow_provider_lake.client.transport.fields import explain_shape, read_field
from airflow_provider_lake.client.transport.retry import Attempts
from airflow_provider_lake.client.transport.session import Session
from airflow_provider_lake.media.kinds import content_type_of


@dataclass(frozen=True, slots=True, eq=False)
class Projection(Record):
    """A further file that belongs to a data, another view of it for instance.

    :param object_name: name of the object that holds its bytes.
    :param compute_status: how far the lake has processed it.
    :param infos: additional information given at its creation.
    :param url: presigned URL of its bytes, if the lake returned one.
    """

    name: str
    object_name: str
    filename: str
    compute_status: str | None = None
    infos: Mapping[str, Any] | None = None
    url: str | None = field(default=None, repr=False)

    @classmethod
    @explain_shape("projection")
    def from_json(cls, session: Session, json: Json) -> Self:
        """Make the record from the lake's response."""
        return cls(
            UUID(json["id"]),
            session,
            json["name"],
            json["object_name"],
            json["filename"],
            json.get("compute_status"),
            json.get("infos"),
            json.get("presigned_url"),
        )

    def refresh(self) -> Self:
        """Read it again and return its present state."""
        return self.from_json(self.session, self.session.request("GET", self._path))

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
        :param use_id: name the file after the projection's id, with the extension of its filename.
        :return: path of the file.
        """
        return save_record(self, target_path, force_replace, use_id)

    def delete(self) -> None:
        """Delete it."""
        self.session.delete(self._path)

    @property
    def _path(self) -> str:
        return f"/api/data/projection/{self.id}"


def upload_projection(
    session: Session,
    connector_id: UUID,
    data_id: UUID,
    name: str,
    path: str,
    additional_info: Mapping[str, Any] | None,
    fill_metadata: bool,
) -> Projection:
    """Upload a file and register it as a projection of a data.

    :param fill_metadata: add the file's EXIF metadata to ``additional_info``, which takes precedence.
    :raises UploadError: the file cannot be read, transferred or registered.
    """
    storage = ObjectStorage(session, connector_id)
    try:
        with open_file(path) as local:
            content_type = content_type_of(local.name)
            header = read_image_header(local)
            object_name = storage.generate_object_name(local.name, "DATA_PROJECTION")
            storage.store(local, object_name, content_type)
        width, height = (header.width, header.height) if header else (None, None)
        info = {**(header.metadata if header and fill_metadata else {}), **(additional_info or {})}
        body = {
            "name": name,
            "file_size": local.size,
            "object_name": object_name,
            "filename": local.name,
            "content_type": content_type,
            "width": width,
            "height": height,
            "additional_info": {key: value for key, value in info.items() if value is not None} or None,
        }
        return Projection.from_json(session, session.request("POST", f"/api/data/{data_id}/projections", json=body))
    except UploadError:
        raise
    except LakeError as error:
        raise UploadError(path, str(error), error) from error
