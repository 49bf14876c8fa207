"""Lists of data, as rows with their tags and sources, without an ORM object for each."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, select
from sqlalchemy.orm import Session

from airflow_provider_lake.server.store.json_text import UuidText, json_text
from airflow_provider_lake.server.store.queries.ordering import order_clauses
from airflow_provider_lake.server.store.queries.selection import Selection, select_after, select_data
from airflow_provider_lake.server.store.tables import Data, DataSource, DataTag, Tag

# A row of one data; the parameters of SQLAlchemy's `Row` differ between its versions.
Row = Any

_ORDERS = {
    "content_type": Data.content_type,
    "created_at": Data.created_at,
    "file_size": Data.file_size,
    "filename": Data.filename,
    "id": Data.id,
    "meta.codec": Data.codec,
    "meta.duration": Data.duration,
    "meta.frame_rate": Data.frame_rate,
    "meta.height": Data.height,
    "meta.width": Data.width,
    "object_name": Data.object_name,
    "type": Data.type,
    "upload_status": Data.upload_status,
}
# The fields of a data in a response, and the expressions that read them for many data.
DESCRIBED = {
    "metadata_": json_text(Data.metadata_),
    "custom_metadata": json_text(Data.custom_metadata),
    "id": UuidText(Data.id),
    "object_name": Data.object_name,
    "filename": Data.filename,
    "type": Data.type,
    "content_type": Data.content_type,
    "upload_status": Data.upload_status,
    "upload_error": Data.upload_error,
    "file_size": Data.file_size,
    "created_at": Data.created_at,
    "width": Data.width,
    "height": Data.height,
    "duration": Data.duration,
    "frame_rate": Data.frame_rate,
    "codec": Data.codec,
}
_COLUMNS = (Data.position, UuidText(Data.data_source_id), *DESCRIBED.values())
_OBJECT_NAME = len(_COLUMNS) - len(DESCRIBED) + list(DESCRIBED).index("object_name")

# Databases limit the parameters of one statement.
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Named:
    """A tag or a source."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Several data in their order. Ids are strings.

    :param rows: position, id of the source, and the values of ``DESCRIBED``.
    :param tag_ids: position to the ids of the data's tags, in the order of their names.
    :param tags: the tags that occur, by id.
    :param sources: the sources that occur, by id.
    """

    rows: Sequence[Row]
    tag_ids: Mapping[int, Sequence[str]]
    tags: Mapping[str, Named]
    sources: Mapping[str, Named]

    @property
    def object_names(self) -> list[str]:
        """Names of the data's objects, in the order of the data."""
        return [row[_OBJECT_NAME] for row in self.rows]

    def for_row(self, row: Row) -> "Listing":
        """Return the list with only one of the data."""
        return replace(self, rows=[row])


def list_after(
    session: Session, selection: Selection, position: int, limit: int, offset: int
) -> tuple[Listing, int | None]:
    """Return one page in the order of creation: the data after a position. The cost does not depend on the position.

    :return: the page, and the position of its last data; None if it is the last page.
    """
    # One row more than requested shows whether there is a next page.
    statement = select_after(selection, *_COLUMNS, position=position, limit=limit + 1, offset=offset)
    rows = _rows(session, statement)
    return _listing(session, rows[:limit]), _last_position(rows, limit)


def list_ordered(
    session: Session, selection: Selection, order_by: Sequence[str], limit: int | None, offset: int
) -> Listing:
    """Return one page in another order.

    :param order_by: names of fields, ``-`` before one that descends.
    :raises BadRequestError: data cannot be ordered by a field.
    """
    statement = select_data(selection, *_COLUMNS).order_by(*order_clauses(_ORDERS, order_by), Data.position)
    return _listing(session, _rows(session, statement.limit(limit).offset(offset)))


def list_ids_after(
    session: Session, selection: Selection, position: int, limit: int, offset: int
) -> tuple[list[str], int | None]:
    """Return one page of ids in the order of creation, with a position as ``list_after`` does."""
    columns = (Data.position, UuidText(Data.id))
    statement = select_after(selection, *columns, position=position, limit=limit + 1, offset=offset)
    rows = _rows(session, statement)
    return [row[1] for row in rows[:limit]], _last_position(rows, limit)


def _rows(session: Session, statement: Executable) -> Sequence[Row]:
    # By the connection: the session would process every row for ORM objects.
    return session.connection().execute(statement).all()


def _last_position(rows: Sequence[Row], limit: int) -> int | None:
    return rows[limit - 1][0] if len(rows) > limit else None


def _listing(session: Session, rows: Sequence[Row]) -> Listing:
    linked = _tags_of(session, [row[0] for row in rows])
    tags = _names(session, Tag, {tag_id for _, tag_id in linked})
    rank = {tag_id: place for place, tag_id in enumerate(tags)}
    tag_ids = defaultdict(list)
    for position, tag_id in sorted(linked, key=lambda pair: rank[pair[1]]):
        tag_ids[position].append(tag_id)
    return Listing(rows, tag_ids, tags, _names(session, DataSource, {row[1] for row in rows} - {None}))


def _tags_of(session: Session, positions: Sequence[int]) -> list[Row]:
    """Return position and tag id of each tag on these data."""
    found: list[Row] = []
    for start in range(0, len(positions), _BATCH):
        batch = positions[start : start + _BATCH]
        pairs = select(DataTag.data_position, UuidText(DataTag.tag_id)).where(DataTag.data_position.in_(batch))
        found += _rows(session, pairs)
    return found


def _names(session: Session, table: type[Tag | DataSource], ids: Collection[str]) -> dict[str, Named]:
    """Return tags or sources by id, in the order of their names."""
    wanted = table.id.in_([UUID(each) for each in ids])
    rows = _rows(session, select(UuidText(table.id), table.name).where(wanted).order_by(table.name))
    return {found_id: Named(found_id, name) for found_id, name in rows}
