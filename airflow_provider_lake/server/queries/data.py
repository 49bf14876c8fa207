"""Data: creating, finding, changing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session, selectinload

from airflow_provider_lake.server.errors import BadRequestError, NotFoundError
from airflow_provider_lake.server.queries.objects import find_unused
from airflow_provider_lake.server.queries.ordering import order_clauses
from airflow_provider_lake.server.states import DataType, UploadStatus
from airflow_provider_lake.server.tables import Data, Datalake, DataSource, DataTag, Projection, Tag

_ORDERS = {
    "content_type": Data.content_type,
    "created_at": Data.created_at,
    "file_size": Data.file_size,
    "filename": Data.filename,
    "id": Data.id,
    "meta.height": Data.height,
    "meta.width": Data.width,
    "object_name": Data.object_name,
    "type": Data.type,
    "upload_status": Data.upload_status,
}
_WITH_RELATED = (selectinload(Data.tags), selectinload(Data.data_source))


@dataclass(frozen=True, slots=True)
class Selection:
    """Which data of a datalake are meant: those that fulfil everything that is given.

    :param clause: compiled from the query language.
    :param custom_metadata: keys and the values that data must have under them.
    """

    datalake_id: UUID
    ids: Collection[UUID] | None = None
    filenames: Collection[str] | None = None
    object_names: Collection[str] | None = None
    types: Collection[str] | None = None
    upload_statuses: Collection[str] | None = None
    clause: ColumnElement[bool] | None = None
    custom_metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about one data.

    :param size: in bytes; None where there is no object.
    :param width: pixels, as displayed.
    :param height: pixels, as displayed.
    :param error: why its status is ERROR.
    """

    position: int
    status: UploadStatus
    size: int | None
    width: int | None = None
    height: int | None = None
    error: str | None = None


def create_data(session: Session, row: Mapping[str, Any], tag_ids: Collection[UUID]) -> tuple[Data, bool]:
    """Add a data; where the datalake has its object already, that one is returned as it is.

    :return: the data, and whether it is new.
    """
    statement = select(Data).where(Data.datalake_id == row["datalake_id"], Data.object_name == row["object_name"])
    existing = session.scalar(statement.options(*_WITH_RELATED))
    if existing is not None:
        return existing, False
    data = Data(**row)
    session.add(data)
    session.flush()
    if tag_ids:
        session.execute(insert(DataTag), [{"data_position": data.position, "tag_id": tag_id} for tag_id in tag_ids])
    session.refresh(data, ["tags", "data_source"])
    return data, True


def get_data(session: Session, organization_id: UUID, data_id: UUID) -> Data:
    """Return one data of an organization.

    :raises NotFoundError: it has none of that id.
    """
    statement = select(Data).join(Datalake, Datalake.id == Data.datalake_id)
    statement = statement.where(Data.id == data_id, Datalake.organization_id == organization_id)
    data = session.scalar(statement.options(*_WITH_RELATED))
    if data is None:
        raise NotFoundError(f"no data with id {data_id}")
    return data


def get_many(session: Session, datalake_id: UUID, ids: Collection[UUID]) -> Sequence[Data]:
    """Return data of a datalake.

    :raises NotFoundError: it does not have them all; it names the first missing one.
    """
    statement = select(Data).where(Data.datalake_id == datalake_id, Data.id.in_(ids))
    found = session.scalars(statement.options(*_WITH_RELATED)).all()
    known = {data.id for data in found}
    for data_id in ids:
        if data_id not in known:
            raise NotFoundError(f"no data with id {data_id}")
    return found


def find_one(session: Session, selection: Selection, wanted: str) -> Data:
    """Return the one data that is meant.

    :param wanted: the selection in words.
    :raises NotFoundError: none is.
    :raises BadRequestError: several are.
    """
    found = session.scalars(_select(selection).options(*_WITH_RELATED).limit(2)).all()
    if not found:
        raise NotFoundError(f"no data with {wanted}")
    if len(found) > 1:
        raise BadRequestError(f"there are several data with {wanted}; find one by its id or object name")
    return found[0]


def list_after(session: Session, selection: Selection, position: int, limit: int, offset: int) -> Sequence[Data]:
    """Return one page in the order of creation: what comes behind a position, however far along that is."""
    statement = _select(selection).where(Data.position > position).order_by(Data.position)
    return session.scalars(statement.offset(offset).limit(limit).options(*_WITH_RELATED)).all()


def list_ordered(
    session: Session, selection: Selection, order_by: Sequence[str], limit: int | None, offset: int
) -> Sequence[Data]:
    """Return one page in another order.

    :param order_by: names of fields, ``-`` before one that descends.
    :raises BadRequestError: data cannot be ordered by a field.
    """
    statement = _select(selection).order_by(*order_clauses(_ORDERS, order_by), Data.position)
    return session.scalars(statement.offset(offset).limit(limit).options(*_WITH_RELATED)).all()


def list_ids_after(
    session: Session, selection: Selection, position: int, limit: int, offset: int
) -> Sequence[tuple[int, UUID]]:
    """Return one page of positions and ids in the order of creation."""
    statement = _select(selection).where(Data.position > position).order_by(Data.position)
    columns = statement.offset(offset).limit(limit).with_only_columns(Data.position, Data.id)
    return [(found, data_id) for found, data_id in session.execute(columns)]


def count(session: Session, selection: Selection) -> int:
    """Count the data that are meant."""
    return session.scalar(_select(selection).with_only_columns(func.count())) or 0


def delete_data(
    session: Session, organization_id: UUID, ids: Collection[UUID], datalake_id: UUID | None = None
) -> list[str]:
    """Delete data of an organization, or of one of its datalakes, with their projections.

    :return: names of the objects that go with them: those that nothing uses any more, and that were not imported.
    """
    lakes = select(Datalake.id).where(Datalake.organization_id == organization_id)
    meant: list[ColumnElement[bool]] = [Data.id.in_(ids), Data.datalake_id.in_(lakes)]
    if datalake_id is not None:
        meant.append(Data.datalake_id == datalake_id)
    uploaded = Projection.data_position.in_(select(Data.position).where(*meant)) & ~Projection.is_imported
    object_names = list(session.scalars(select(Projection.object_name).where(uploaded)))
    deleted = session.execute(delete(Data).where(*meant).returning(Data.object_name, Data.is_imported))
    object_names += [object_name for object_name, is_imported in deleted if not is_imported]
    return find_unused(session, organization_id, object_names)


def check_tags(session: Session, datalake_id: UUID, tag_ids: Collection[UUID]) -> None:
    """Make sure that tags exist.

    :raises BadRequestError: the datalake does not have them all; it names the first missing one.
    """
    known = set(session.scalars(select(Tag.id).where(Tag.datalake_id == datalake_id, Tag.id.in_(tag_ids))))
    for tag_id in tag_ids:
        if tag_id not in known:
            raise BadRequestError(f"no tag with id {tag_id}")


def check_source(session: Session, organization_id: UUID, source_id: UUID) -> None:
    """Make sure that a data source exists.

    :raises BadRequestError: the organization has none of that id.
    """
    source = session.get(DataSource, source_id)
    if source is None or source.organization_id != organization_id:
        raise BadRequestError(f"no data source with id {source_id}")


def take_pending(session: Session, limit: int) -> Sequence[Data]:
    """Mark the oldest data that nobody looked at yet as being looked at, and return them.

    What an earlier process left half done is among them: its findings were never recorded.
    """
    waiting = Data.upload_status.in_([UploadStatus.PENDING, UploadStatus.COMPUTING])
    taken = session.scalars(select(Data).where(waiting).order_by(Data.position).limit(limit)).all()
    positions = [data.position for data in taken]
    session.execute(update(Data).where(Data.position.in_(positions)).values(upload_status=UploadStatus.COMPUTING))
    return taken


def record_findings(session: Session, findings: Sequence[Finding]) -> None:
    """Write down what was found out; dimensions that are known already are replaced only by measured ones."""
    statement = (
        update(Data.__table__)  # type: ignore[arg-type]  # a mapped table is a Table
        .where(Data.position == bindparam("at"))
        .values(
            upload_status=bindparam("status"),
            upload_error=bindparam("error"),
            file_size=bindparam("size"),
            width=func.coalesce(bindparam("width"), Data.width),
            height=func.coalesce(bindparam("height"), Data.height),
            thumbnail_due=bindparam("is_image"),
        )
    )
    rows = [
        {
            "at": finding.position,
            "status": finding.status,
            "error": finding.error,
            "size": finding.size,
            "width": finding.width,
            "height": finding.height,
            "is_image": finding.status == UploadStatus.DONE and finding.width is not None,
        }
        for finding in findings
    ]
    if rows:
        session.connection().execute(statement, rows)


def _select(selection: Selection) -> Select[Data]:
    statement = select(Data).where(Data.datalake_id == selection.datalake_id)
    for column, values in (
        (Data.id, selection.ids),
        (Data.filename, selection.filenames),
        (Data.object_name, selection.object_names),
        (Data.type, _unless_all(selection.types, DataType)),
        (Data.upload_status, _unless_all(selection.upload_statuses, UploadStatus)),
    ):
        if values is not None:
            statement = statement.where(column.in_(values))
    if selection.clause is not None:
        statement = statement.where(selection.clause)
    for key, value in (selection.custom_metadata or {}).items():
        statement = statement.where(_equals(Data.custom_metadata[key], value))
    return statement


def _unless_all(values: Collection[str] | None, known: type[StrEnum]) -> Collection[str] | None:
    # Clients name every state where they mean any. Without that condition an index alone gives the count.
    return None if values is not None and set(values) >= set(known) else values


def _equals(element: Any, value: Any) -> ColumnElement[bool]:
    match value:
        case bool():
            result: ColumnElement[bool] = element.as_boolean() == value
        case int() | float():
            result = element.as_float() == value
        case str():
            result = element.as_string() == value
        case _:
            raise BadRequestError("custom_metadata can be compared with texts, numbers and booleans only")
    return result
