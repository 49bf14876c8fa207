"""Selections of a datalake's data, as conditions of a statement."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select, union_all
from sqlalchemy.orm import Session, aliased

from airflow_provider_lake.server.errors import BadRequestError
from airflow_provider_lake.server.store.query_language import Filter
from airflow_provider_lake.server.store.states import DataType, UploadStatus
from airflow_provider_lake.server.store.tables import Data, DataTag, Tag
from airflow_provider_lake.server.store.unindexed import Unindexed

_EVERYTHING = Filter()
# An alias for the one tag that leads to the data; conditions of the query join tags themselves.
_Leading = aliased(DataTag)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which data of a datalake are selected: those that meet every condition that is given.

    :param filter: compiled from the query language.
    :param custom_metadata: keys and the values that data must have under them.
    """

    datalake_id: UUID
    ids: Collection[UUID] | None = None
    filenames: Collection[str] | None = None
    object_names: Collection[str] | None = None
    types: Collection[str] | None = None
    upload_statuses: Collection[str] | None = None
    filter: Filter = _EVERYTHING
    custom_metadata: Mapping[str, Any] | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions over ``Data``, except those on its datalake and its tags."""
        statuses = _unless_all(self.upload_statuses, UploadStatus)
        found: list[ColumnElement[bool]] = [
            column.in_(values)
            for column, values in (
                (Data.id, self.ids),
                (Data.filename, self.filenames),
                (Data.object_name, self.object_names),
                (Data.type, _unless_all(self.types, DataType)),
                # Nearly all data are DONE in the end.
                (
                    Unindexed(Data.upload_status) if UploadStatus.DONE in (statuses or ()) else Data.upload_status,
                    statuses,
                ),
            )
            if values is not None
        ]
        if self.filter.condition is not None:
            found.append(self.filter.condition)
        found += self.filter.narrowing
        return found + [
            _equals(Data.custom_metadata[key], value) for key, value in (self.custom_metadata or {}).items()
        ]


def select_data(selection: Selection, *columns: Any) -> Select[Any]:
    """Return the statement that reads columns of the selected data, in no order."""
    statement = select(*columns).select_from(Data)
    statement = statement.where(Data.datalake_id == selection.datalake_id, *selection.conditions())
    names = selection.filter.tag_names
    if names is None:
        return statement
    if len(names) == 1:
        return _joined(statement, selection.datalake_id, names[0])
    of_tags = DataTag.tag_id.in_(_tag_ids(selection.datalake_id, names))
    return statement.where(Data.position.in_(select(DataTag.data_position).where(of_tags)))


def select_after(selection: Selection, *columns: Any, position: int, limit: int, offset: int) -> Select[Any]:
    """Return the statement that reads a page of the selected data in the order of their positions, after one position.

    It uses an index, if there is one, so that its cost depends neither on the position nor on how many data match.
    """
    names = selection.filter.tag_names
    if names is not None and len(names) > 1 and not selection.conditions():
        statement = select(*columns).select_from(Data).where(Data.datalake_id == selection.datalake_id)
        first = [_first_of_tag(selection.datalake_id, name, position, limit + offset) for name in names]
        statement = statement.where(Data.position.in_(union_all(*first)), Data.position > position)
        return statement.order_by(Data.position).limit(limit).offset(offset)
    statement = select_data(selection, *columns)
    if names is None and selection.filter.is_selective:
        statement = statement.where(Unindexed(Data.position) > position)
        return statement.order_by(Unindexed(Data.position)).limit(limit).offset(offset)
    # The index of one tag has its data in the order of their positions.
    along = _Leading.data_position if names is not None and len(names) == 1 else Data.position
    # Also a condition on the data, since PostgreSQL may scan both tables.
    return statement.where(along > position, Data.position > position).order_by(along).limit(limit).offset(offset)


def count_data(session: Session, selection: Selection) -> int:
    """Count the selected data."""
    names = selection.filter.tag_names
    if names is not None and len(names) == 1 and not selection.conditions():
        # Tags belong to one datalake, so the data need not be read.
        of_tag = DataTag.tag_id == _tag_id(selection.datalake_id, names[0])
        return session.scalar(select(func.count()).select_from(DataTag).where(of_tag)) or 0
    return session.scalar(select_data(selection, func.count())) or 0


def _joined(statement: Select[Any], datalake_id: UUID, tag_name: str) -> Select[Any]:
    statement = statement.join(_Leading, _Leading.data_position == Data.position)
    return statement.where(_Leading.tag_id == _tag_id(datalake_id, tag_name))


def _first_of_tag(datalake_id: UUID, tag_name: str, position: int, limit: int) -> Select[int]:
    """Return the positions of the first data of a tag after a position."""
    of_tag = DataTag.tag_id == _tag_id(datalake_id, tag_name)
    first = select(DataTag.data_position).where(of_tag, DataTag.data_position > position)
    # Parts of a union can have a LIMIT only as subqueries.
    bounded = first.order_by(DataTag.data_position).limit(limit).subquery()
    return select(bounded.c.data_position)


def _tag_ids(datalake_id: UUID, names: Sequence[str]) -> Select[UUID]:
    return select(Tag.id).where(Tag.datalake_id == datalake_id, Tag.name.in_(names))


def _tag_id(datalake_id: UUID, name: str) -> Any:
    return select(Tag.id).where(Tag.datalake_id == datalake_id, Tag.name == name).scalar_subquery()


def _unless_all(values: Collection[str] | None, known: type[StrEnum]) -> Collection[str] | None:
    # Clients list every state to mean any. Without that condition an index alone gives the count.
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
