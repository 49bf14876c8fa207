"""Data sources."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from airflow_provider_lake.server.errors import ConflictError, NotFoundError
from airflow_provider_lake.server.store.queries.ordering import order_clauses
from airflow_provider_lake.server.store.tables import DataSource

_ORDERS = {"name": DataSource.name, "created_at": DataSource.created_at, "id": DataSource.id}


def create_source(session: Session, organization_id: UUID, name: str) -> DataSource:
    """Add a data source.

    :raises ConflictError: the organization has one of that name.
    """
    if find_source(session, organization_id, name) is not None:
        raise ConflictError(f"there is a data source named {name!r} already")
    source = DataSource(organization_id=organization_id, name=name)
    session.add(source)
    session.flush()
    return source


def find_source(session: Session, organization_id: UUID, name: str) -> DataSource | None:
    """Return the data source of a name."""
    statement = select(DataSource).where(DataSource.organization_id == organization_id, DataSource.name == name)
    return session.scalar(statement)


def get_source(session: Session, organization_id: UUID, source_id: UUID) -> DataSource:
    """Return one data source of an organization.

    :raises NotFoundError: it has no data source of that id.
    """
    source = session.get(DataSource, source_id)
    if source is None or source.organization_id != organization_id:
        raise NotFoundError(f"no data source with id {source_id}")
    return source


def list_sources(
    session: Session, organization_id: UUID, limit: int, offset: int, order_by: Sequence[str]
) -> tuple[Sequence[DataSource], int]:
    """Return one page of an organization's data sources, and how many it has."""
    of_organization = DataSource.organization_id == organization_id
    orders = order_clauses(_ORDERS, order_by or ("name",))
    statement = select(DataSource).where(of_organization).order_by(*orders, DataSource.id)
    count = session.scalar(select(func.count()).select_from(DataSource).where(of_organization)) or 0
    return session.scalars(statement.limit(limit).offset(offset)).all(), count


def rename_source(session: Session, source: DataSource, name: str) -> None:
    """Rename a data source.

    :raises ConflictError: another one of the organization has it.
    """
    other = find_source(session, source.organization_id, name)
    if other is not None and other.id != source.id:
        raise ConflictError(f"there is a data source named {name!r} already")
    source.name = name
