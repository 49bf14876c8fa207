"""Which data of a datalake have arrived since the last scan.

Data *arrive* when the lake has finished them (upload status DONE) and they match the query. Data that are still being
processed, or that the lake could not process, have not arrived. The lake lists data in the order of their creation,
page by page with a *cursor*. But it does not finish data in that order, and data may start to match (get a tag) long
after their creation. So each scan reads a window behind the cursor again: the latest 500 to 2,000 matching data, with
marks of those that were seen before. When the cursor advances, it may pass data that are unseen or that the lake has
not finished: their ids are stored. Deleted data drop out by themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from airflow_provider_lake.triggers.polling.reader import DataReader

PAGE_SIZE = 500
WINDOW_PAGES = 4
# The cursor does not advance while it would pass more unseen data than this: a position is written to Airflow's state
# store at every scan, and Airflow logs a warning for each value above 64 KiB.
MAX_WAITING = 500
_MAX_UNFINISHED = 500
_MAX_SEEN = 2000
# Number of an id's 32 digits that are stored, for the same reason.
_MARK_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Position:
    """How far the data that match a query have been seen.

    :param cursor: the window starts behind this cursor; None: at the first data.
    :param next_cursor: where the window may start next, once the data before it have been seen.
    :param seen: marks of the ids in the window that have been seen.
    :param waiting: ids of unseen data before the window, finished or not.
    """

    cursor: str | None = None
    next_cursor: str | None = None
    seen: frozenset[str] = frozenset()
    waiting: tuple[str, ...] = ()

    def after(self, ids: Sequence[str]) -> Self:
        """Return the position with these data marked as seen."""
        seen = set(ids)
        waiting = tuple(each for each in self.waiting if each not in seen)
        return replace(self, seen=self.seen | _marks(ids), waiting=waiting)

    def unseen(self, ids: Sequence[str]) -> list[str]:
        """Return the ids that are not marked as seen."""
        return [each for each in ids if _mark(each) not in self.seen]

    def to_json(self) -> dict[str, Any]:
        """Return the position as JSON."""
        return {
            "cursor": self.cursor,
            "next_cursor": self.next_cursor,
            "seen": sorted(self.seen),
            "waiting": list(self.waiting),
        }

    @classmethod
    def from_json(cls, json: Mapping[str, Any]) -> Self:
        """Read a position from the result of :meth:`to_json`."""
        return cls(json["cursor"], json["next_cursor"], frozenset(json["seen"]), tuple(json["waiting"]))


@dataclass(frozen=True, slots=True)
class ScanResult:
    """Result of a scan.

    :param new_ids: ids of the unseen data that have arrived, in the order of their creation.
    :param position: start of the next scan; the new data are not marked as seen in it.
    :param is_complete: whether the scan found all arrived data; otherwise another scan finds more.
    """

    new_ids: Sequence[str]
    position: Position
    is_complete: bool


@dataclass(frozen=True, slots=True)
class _Window:
    """The matching data behind a cursor, as far as they have been read.

    :param cursors: the cursor at the end of each full page.
    """

    ids: Sequence[str]
    cursors: Sequence[str]
    is_whole: bool

    @property
    def next_cursor(self) -> str | None:
        """Where the window may start next: one full page stays in it."""
        return self.cursors[-2] if len(self.cursors) > 1 else None


@dataclass(frozen=True, slots=True)
class _Step:
    """Data that the cursor would pass if it advanced.

    :param unfinished: ids of the unfinished data that it would pass; None: too many.
    :param first_id: id of the first matching data behind the next cursor; None: there are none.
    """

    unfinished: Sequence[str] | None
    first_id: str | None


async def scan(reader: "DataReader", query: str | None, position: Position) -> ScanResult:
    """Find the data that have arrived.

    :raises airflow_provider_lake.client.LakeError: the lake fails to respond, or refuses a request.
    """
    # The order matters: data that the lake finishes between two of these requests are found twice rather than missed.
    late, waiting = await _read_waiting(reader, query, position.unseen(position.waiting))
    step = await _read_step(reader, query, position)
    window = await _read_window(reader, query, position.cursor)
    new_ids = position.unseen(list(dict.fromkeys([*late, *window.ids])))
    passed = _passed(step, window)
    left = [] if step is None or passed is None else [*waiting, *(step.unfinished or ()), *position.unseen(passed)]
    if passed is None or len(left) > MAX_WAITING:
        seen = _still_needed(position.seen, window, (), len(new_ids))
        result = Position(position.cursor, window.next_cursor, seen, waiting)
    else:
        seen = _still_needed(position.seen, window, passed, len(new_ids))
        result = Position(position.next_cursor, None, seen, tuple(dict.fromkeys(left)))
    is_stuck = (result.cursor, result.next_cursor) == (position.cursor, position.next_cursor)
    return ScanResult(new_ids, result, window.is_whole or is_stuck)


async def start_position(reader: "DataReader", query: str | None, *, latest: bool) -> Position:
    """Return the position at which all existing data, or none, are marked as seen.

    :param latest: mark all existing data as seen.
    """
    from airflow_provider_lake.client.listing.ids import FINISHED, IdQuery

    if not latest:
        return Position()
    cursor, count = None, await reader.count(query, FINISHED)
    while cursor is None and count > 2 * PAGE_SIZE:
        page = await reader.read_ids(IdQuery(query, FINISHED, limit=PAGE_SIZE, offset=count - 2 * PAGE_SIZE))
        cursor, count = page.next_cursor, page.count
    window = await _read_window(reader, query, cursor)
    return Position(cursor, window.next_cursor).after(window.ids)


async def is_query_accepted(reader: "DataReader", query: str | None) -> bool:
    """Whether the lake accepts a query: if it does but refuses a scan, it no longer knows the cursor."""
    from airflow_provider_lake.client import BadRequestError
    from airflow_provider_lake.client.listing.ids import FINISHED

    try:
        await reader.count(query, FINISHED)
    except BadRequestError:
        return False
    return True


async def _read_waiting(
    reader: "DataReader", query: str | None, waiting: Sequence[str]
) -> tuple[Sequence[str], tuple[str, ...]]:
    """Return which of the waiting data have arrived, and which to keep: the arrived and the unfinished ones."""
    from airflow_provider_lake.client.listing.ids import FINISHED, UNFINISHED

    if not waiting:
        return (), ()
    unfinished = await reader.filter_ids(waiting, None, UNFINISHED)
    arrived = await reader.filter_ids(waiting, query, FINISHED)
    kept = {*unfinished, *arrived}
    return arrived, tuple(each for each in waiting if each in kept)


async def _read_step(reader: "DataReader", query: str | None, position: Position) -> _Step | None:
    """Request the data that the cursor would pass; None: there is no next cursor."""
    from airflow_provider_lake.client.listing.ids import FINISHED, UNFINISHED, IdQuery

    if position.next_cursor is None:
        return None
    query_ids = IdQuery(statuses=UNFINISHED, cursor=position.cursor, limit=_MAX_UNFINISHED)
    before = await reader.read_ids(query_ids)
    after = await reader.read_ids(replace(query_ids, cursor=position.next_cursor))
    beyond = set(after.ids)
    # If the first page is full, it must overlap with the data behind the next cursor; otherwise there are too many.
    is_known = before.next_cursor is None or bool(beyond & set(before.ids))
    unfinished = [each for each in before.ids if each not in beyond] if is_known else None
    first = await reader.read_ids(IdQuery(query, FINISHED, position.next_cursor, limit=1))
    return _Step(unfinished, first.ids[0] if first.ids else None)


async def _read_window(reader: "DataReader", query: str | None, cursor: str | None) -> _Window:
    from airflow_provider_lake.client.listing.ids import FINISHED, IdQuery

    ids: list[str] = []
    cursors: list[str] = []
    for _ in range(WINDOW_PAGES):
        page = await reader.read_ids(IdQuery(query, FINISHED, cursor, limit=PAGE_SIZE))
        ids += page.ids
        cursor = page.next_cursor
        if cursor is None:
            return _Window(ids, cursors, is_whole=True)
        cursors.append(cursor)
    return _Window(ids, cursors, is_whole=False)


def _passed(step: _Step | None, window: _Window) -> Sequence[str] | None:
    """Return the data that would leave the window; None: unknown, because the window does not reach that far."""
    if step is None or step.unfinished is None or step.first_id not in window.ids:
        return None
    return window.ids[: window.ids.index(step.first_id)]


def _still_needed(seen: frozenset[str], window: _Window, passed: Sequence[str], new_count: int) -> frozenset[str]:
    """Drop marks of data that no scan will find again.

    Marks of data beyond a full window are dropped only if there would be too many marks with the new ones: such data
    may then be found twice.
    """
    kept = seen - _marks(passed)
    are_too_many = len(kept) + new_count > _MAX_SEEN
    return kept & _marks(window.ids) if window.is_whole or are_too_many else kept


def _mark(data_id: str) -> str:
    return data_id.replace("-", "")[-_MARK_DIGITS:]


def _marks(ids: Sequence[str]) -> frozenset[str]:
    return frozenset(map(_mark, ids))
