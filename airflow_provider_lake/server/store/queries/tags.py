"""Data tags."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import delete, exists, func, insert, literal, select
from sqlalchemy.orm import Session

from airflow_provider_lake.server.errors import ConflictError, NotFoundError
from airflow_provider_lake.server.store.queries.ordering import order_clauses
from airflow_provider_lake.server.store.tables import Data, Datalake, DataTag, Tag

_ORDERS = {"name": Tag.name, "created_at": Tag.created_at, "id": Tag.id}


def create_tag(session: Session, datalake_id: UUID, name: str) -> Tag:
    """Add a tag.

    :raises ConflictError: the datalake has one of that name.
    """
    if find_tag(session, datalake_id, name) is not None:
        raise ConflictError(f"there is a tag named {name!r} already")
    tag = Tag(datalake_id=datalake_id, name=name)
    session.add(tag)
    session.flush()
    return tag


def find_tag(session: Session, datalake_id: UUID, name: str) -> Tag | None:
    """Return the tag of a name."""
    return session.scalar(select(Tag).where(Tag.datalake_id == datalake_id, Tag.name == name))


def get_tag(session: Session, organization_id: UUID, tag_id: UUID) -> Tag:
    """Return one tag of an organization.

    :raises NotFoundError: it has no tag of that id.
    """
    statement = select(Tag).join(Datalake, Datalake.id == Tag.datalake_id)
    tag = session.scalar(statement.where(Tag.id == tag_id, Datalake.organization_id == organization_id))
    if tag is None:
        raise NotFoundError(f"no tag with id {tag_id}")
    return tag


def list_tags(
    session: Session, datalake_id: UUID, limit: int, offset: int, order_by: Sequence[str]
) -> tuple[Sequence[Tag], int]:
    """Return one page of a datalake's tags, and how many it has."""
    of_lake = Tag.datalake_id == datalake_id
    statement = select(Tag).where(of_lake).order_by(*order_clauses(_ORDERS, order_by or ("name",)), Tag.id)
    count = session.scalar(select(func.count()).select_from(Tag).where(of_lake)) or 0
    return session.scalars(statement.limit(limit).offset(offset)).all(), count


def rename_tag(session: Session, tag: Tag, name: str) -> None:
    """Rename a tag.

    :raises ConflictError: another tag of the datalake has it.
    """
    other = find_tag(session, tag.datalake_id, name)
    if other is not None and other.id != tag.id:
        raise ConflictError(f"there is a tag named {name!r} already")
    tag.name = name


def attach_tag(session: Session, tag: Tag, data_ids: Collection[UUID]) -> int:
    """Put a tag on data of its datalake; data that have it already do not change.

    :return: how many of the data exist.
    :raises NotFoundError: the datalake does not have them all.
    """
    found = _count(session, tag, data_ids)
    has_tag = exists().where(DataTag.data_position == Data.position, DataTag.tag_id == tag.id)
    missing = select(Data.position, literal(tag.id, DataTag.tag_id.type)).where(
        Data.id.in_(data_ids), Data.datalake_id == tag.datalake_id, ~has_tag
    )
    session.execute(insert(DataTag).from_select(["data_position", "tag_id"], missing))
    return found


def detach_tag(session: Session, tag: Tag, data_ids: Collection[UUID]) -> int:
    """Remove a tag from data of its datalake; data that do not have it do not change.

    :return: how many of the data exist.
    :raises NotFoundError: the datalake does not have them all.
    """
    found = _count(session, tag, data_ids)
    positions = select(Data.position).where(Data.id.in_(data_ids), Data.datalake_id == tag.datalake_id)
    session.execute(delete(DataTag).where(DataTag.tag_id == tag.id, DataTag.data_position.in_(positions)))
    return found


def _count(session: Session, tag: Tag, data_ids: Collection[UUID]) -> int:
    known = set(session.scalars(select(Data.id).where(Data.id.in_(data_ids), Data.datalake_id == tag.datalake_id)))
    for data_id in data_ids:
        if data_id not in known:
            raise NotFoundError(f"no data with id {data_id}")
    return len(known)
