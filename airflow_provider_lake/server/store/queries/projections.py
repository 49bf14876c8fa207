"""Projections: further files that belong to a data."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from airflow_provider_lake.server.errors import NotFoundError
from airflow_provider_lake.server.store.tables import Data, Datalake, Projection, utc_now

# Name of the projections that the lake creates itself.
THUMBNAIL = "thumbnail"


def create_projection(session: Session, row: Mapping[str, Any]) -> tuple[Projection, bool]:
    """Add a projection; if the data has one of the same object already, return that one unchanged.

    :return: the projection, and whether it is new.
    """
    statement = select(Projection).where(
        Projection.data_position == row["data_position"], Projection.object_name == row["object_name"]
    )
    existing = session.scalar(statement)
    if existing is not None:
        return existing, False
    projection = Projection(**row)
    session.add(projection)
    session.flush()
    return projection, True


def get_projection(session: Session, organization_id: UUID, projection_id: UUID) -> Projection:
    """Return one projection of an organization.

    :raises NotFoundError: it has no projection of that id.
    """
    statement = (
        select(Projection)
        .join(Data, Data.position == Projection.data_position)
        .join(Datalake, Datalake.id == Data.datalake_id)
        .where(Projection.id == projection_id, Datalake.organization_id == organization_id)
    )
    projection = session.scalar(statement)
    if projection is None:
        raise NotFoundError(f"no projection with id {projection_id}")
    return projection


def list_projections(session: Session, data_position: int) -> Sequence[Projection]:
    """Return all projections of a data, the oldest first."""
    statement = select(Projection).where(Projection.data_position == data_position)
    return session.scalars(statement.order_by(Projection.created_at, Projection.id)).all()


def list_thumbnails(session: Session, datalake_id: UUID, data_ids: Collection[UUID]) -> Sequence[tuple[UUID, str]]:
    """Return the ids of those data that have a thumbnail, each with the thumbnail's object name."""
    statement = (
        select(Data.id, Projection.object_name)
        .join(Projection, Projection.data_position == Data.position)
        .where(Data.datalake_id == datalake_id, Data.id.in_(data_ids), Projection.name == THUMBNAIL)
    )
    return [(data_id, object_name) for data_id, object_name in session.execute(statement)]


def has_thumbnail(session: Session, data_id: UUID) -> bool:
    """Whether a data has a thumbnail already."""
    of_data = select(Projection.id).join(Data, Data.position == Projection.data_position)
    return session.scalar(of_data.where(Data.id == data_id, Projection.name == THUMBNAIL).limit(1)) is not None


def find_without_thumbnail(session: Session, quiet: timedelta) -> Data | None:
    """Return the oldest data that needs a thumbnail; None while new data are being registered.

    :param quiet: how old the newest data must be.
    """
    newest, now = session.scalar(select(Data.created_at).order_by(Data.position.desc()).limit(1)), utc_now()
    # A creation time in the future means that the clock was set back.
    if newest is None or now - quiet < newest <= now:
        return None
    return session.scalar(select(Data).where(Data.thumbnail_due).order_by(Data.position).limit(1))


def record_thumbnail(session: Session, data_id: UUID, row: Mapping[str, Any] | None) -> bool:
    """Add the thumbnail of a data to its projections, and mark the data as done.

    :param row: None if no thumbnail can be made.
    :return: whether the data still exists and needed one.
    """
    data = session.scalar(select(Data).where(Data.id == data_id, Data.thumbnail_due))
    if data is None:
        return False
    data.thumbnail_due = False
    if row is not None:
        session.add(Projection(data_position=data.position, **row))
    return True
