"""Finds the datalake of a resource, which decides whether a job's token may access it."""

from uuid import UUID

from sqlalchemy import select, union_all
from sqlalchemy.orm import Session

from airflow_provider_lake.server.store.tables import Data, Datalake, Job, Projection, Tag

_STATEMENTS = {
    "datalake_id": lambda found: select(Datalake.id).where(Datalake.id == found),
    "tag_id": lambda found: select(Tag.datalake_id).where(Tag.id == found),
    "data_id": lambda found: select(Data.datalake_id).where(Data.id == found),
    "job_id": lambda found: select(Job.datalake_id).where(Job.id == found),
    "projection_id": lambda found: (
        select(Data.datalake_id)
        .join(Projection, Projection.data_position == Data.position)
        .where(Projection.id == found)
    ),
}


def datalake_of(session: Session, name: str, found: UUID) -> UUID | None:
    """Return the datalake of a resource; None if it does not exist, or belongs to no datalake.

    :param name: name of the id in the paths of routes.
    """
    statement = _STATEMENTS.get(name)
    return None if statement is None else session.scalar(statement(found))


def is_of_other_datalake(session: Session, organization_id: UUID, datalake_id: UUID, object_name: str) -> bool:
    """Whether an object belongs to a data, or a projection, of another datalake of the organization."""
    others = select(Datalake.id).where(Datalake.organization_id == organization_id, Datalake.id != datalake_id)
    named = select(Data.id).where(Data.datalake_id.in_(others), Data.object_name == object_name)
    shown = (
        select(Projection.id)
        .join(Data, Data.position == Projection.data_position)
        .where(Data.datalake_id.in_(others), Projection.object_name == object_name)
    )
    return session.execute(union_all(named, shown).limit(1)).first() is not None
