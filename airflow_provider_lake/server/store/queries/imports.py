"""Statements of imports: making data of many objects."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Dialect, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from airflow_provider_lake.server.store.tables import Base, Data, Datalake, DataSource, DataTag, Projection, Tag

# Each has at most the 10 MiB of a request, and PostgreSQL takes no statement of more than 1 GiB.
_ROWS_A_STATEMENT = 100


def existing_objects(session: Session, datalake_id: UUID, object_names: Collection[str]) -> set[str]:
    """Return those of the names that are used already by data of a datalake, or by projections such as thumbnails."""
    organization_id = select(Datalake.organization_id).where(Datalake.id == datalake_id).scalar_subquery()
    shown = (
        select(Projection.object_name)
        .join(Data, Data.position == Projection.data_position)
        .join(Datalake, Datalake.id == Data.datalake_id)
        .where(Projection.object_name.in_(object_names), Datalake.organization_id == organization_id)
    )
    return {*positions(session, datalake_id, object_names), *session.connection().scalars(shown)}


def positions(session: Session, datalake_id: UUID, object_names: Collection[str]) -> dict[str, int]:
    """Return the position of each of the named data; missing ones are left out."""
    statement = select(Data.object_name, Data.position).where(
        Data.datalake_id == datalake_id, Data.object_name.in_(object_names)
    )
    return dict(session.connection().execute(statement).tuples().all())


def existing_positions(session: Session, data_positions: Collection[int]) -> set[int]:
    """Return those of the positions that still have a data."""
    return set(session.scalars(select(Data.position).where(Data.position.in_(data_positions))))


def existing_tags(session: Session, datalake_id: UUID, tag_ids: Collection[UUID]) -> set[UUID]:
    """Return those of the ids that are tags of a datalake."""
    if not tag_ids:
        return set()
    return set(session.scalars(select(Tag.id).where(Tag.datalake_id == datalake_id, Tag.id.in_(tag_ids))))


def existing_sources(session: Session, datalake_id: UUID, source_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return those of the ids that are data sources of a datalake's organization, with their names."""
    if not source_ids:
        return {}
    statement = (
        select(DataSource.id, DataSource.name)
        .join(Datalake, Datalake.organization_id == DataSource.organization_id)
        .where(Datalake.id == datalake_id, DataSource.id.in_(source_ids))
    )
    return dict(session.execute(statement).tuples().all())


def ensure_tags(session: Session, datalake_id: UUID, names: Collection[str]) -> dict[str, UUID]:
    """Return the id of each named tag; missing ones are created."""
    _insert_missing(session, Tag, [{"datalake_id": datalake_id, "name": name} for name in names])
    statement = select(Tag.name, Tag.id).where(Tag.datalake_id == datalake_id, Tag.name.in_(names))
    return dict(session.execute(statement).tuples().all())


def ensure_sources(session: Session, organization_id: UUID, names: Collection[str]) -> dict[str, UUID]:
    """Return the id of each named data source; missing ones are created."""
    _insert_missing(session, DataSource, [{"organization_id": organization_id, "name": name} for name in names])
    statement = select(DataSource.name, DataSource.id).where(
        DataSource.organization_id == organization_id, DataSource.name.in_(names)
    )
    return dict(session.execute(statement).tuples().all())


def add_data(session: Session, rows: Sequence[Mapping[str, Any]], tags: Iterable[tuple[UUID, UUID]]) -> set[UUID]:
    """Add data with their tags; an object that has a data already keeps that one.

    :param rows: columns of the data with ``id`` and ``datalake_id``; all have the same keys.
    :param tags: pairs of data id and tag id.
    :return: the ids of those that were added.
    """
    if not rows:
        return set()
    statement = _insert_or_ignore(session.get_bind().dialect, Data).returning(Data.id, Data.position)
    statement = statement.execution_options(insertmanyvalues_page_size=_ROWS_A_STATEMENT)
    added = dict(session.connection().execute(statement, rows).tuples().all())
    add_tags(session, ((added[data_id], tag_id) for data_id, tag_id in tags if data_id in added))
    return set(added)


def add_tags(session: Session, pairs: Iterable[tuple[int, UUID]]) -> None:
    """Put tags on data, given as position and tag id."""
    rows = [{"data_position": position, "tag_id": tag_id} for position, tag_id in pairs]
    if rows:
        session.connection().execute(insert(DataTag), rows)


def existing_projections(session: Session, data_positions: Collection[int]) -> set[tuple[int, str]]:
    """Return data position and name of the projections of some data."""
    statement = select(Projection.data_position, Projection.name).where(Projection.data_position.in_(data_positions))
    return {(position, name) for position, name in session.execute(statement)}


def add_projections(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add projections."""
    if rows:
        session.execute(insert(Projection), rows)


def _insert_missing(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        session.execute(_insert_or_ignore(session.get_bind().dialect, table), rows)


def _insert_or_ignore(dialect: Dialect, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT that leaves existing rows as they are."""
    to = postgresql.insert(table) if dialect.name == "postgresql" else sqlite.insert(table)
    return to.on_conflict_do_nothing()
