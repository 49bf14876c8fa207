"""Multipart uploads."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from airflow_provider_lake.server.errors import NotFoundError
from airflow_provider_lake.server.store.tables import MultipartUpload, utc_now


def create_upload(
    session: Session, upload_id: UUID, store_id: str, connector_id: UUID, object_name: str, content_type: str
) -> None:
    """Add an upload that the blob store has started."""
    session.add(
        MultipartUpload(
            id=upload_id,
            store_id=store_id,
            connector_id=connector_id,
            object_name=object_name,
            content_type=content_type,
        )
    )


def get_upload(session: Session, upload_id: UUID) -> MultipartUpload:
    """Return one upload.

    :raises NotFoundError: there is no upload of that id.
    """
    upload = session.get(MultipartUpload, upload_id)
    if upload is None:
        raise NotFoundError(f"no upload with id {upload_id}")
    return upload


def get_upload_of(session: Session, connector_id: UUID, upload_id: UUID, object_name: str) -> MultipartUpload:
    """Return one upload of a connector and an object.

    :raises NotFoundError: there is none.
    """
    upload = get_upload(session, upload_id)
    if upload.connector_id != connector_id or upload.object_name != object_name:
        raise NotFoundError(f"no upload with id {upload_id} of object {object_name!r}")
    return upload


def list_under_way(session: Session, since: datetime) -> Sequence[str]:
    """Return the store's ids of the uploads that were started since a time and are not complete."""
    begun = select(MultipartUpload.store_id).where(MultipartUpload.created_at >= since)
    return session.scalars(begun.where(MultipartUpload.completed_at.is_(None))).all()


def mark_completed(session: Session, upload_id: UUID) -> None:
    """Record that an upload is complete."""
    completed = update(MultipartUpload).where(MultipartUpload.id == upload_id)
    session.execute(completed.values(completed_at=utc_now()))
