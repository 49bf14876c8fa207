"""Projections: second files shown along data."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from airflow_provider_lake.server.errors import NotFoundError
from airflow_provider_lake.server.tables import Data, Datalake, Projection


def create_projection(session: Session, row: Mapping[str, Any]) -> tuple[Projection, bool]:
    """Add a projection; where the data has one of its object already, that one is returned as it is.

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

    :raises NotFoundError: it has none of that id.
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
