"""Nothing that arrives is missed, in whatever order a lake finishes its data, whatever happens between two questions.

The lake here is a model of a real one's listing: rows in the order of their creation, each with a status.
`tests/wire/test_data_trigger.py` asks a real one.
"""

import asyncio
import json
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from airflow_provider_lake.client.listing.ids import IdPage, IdQuery
from airflow_provider_lake.triggers import arrivals
from airflow_provider_lake.triggers.arrivals import Position, scan, start_position

TAGGED = "tagged"
# What `[state_store] max_value_storage_bytes` is unless somebody changes it.
WARNED_OF_BYTES = 65_535


@dataclass
class _Row:
    id: str
    is_tagged: bool
    status: str = "PENDING"


@dataclass
class _ModelLake:
    """A datalake's listing, and what others do to it before each of its answers.

    :param changes: name of a change and which of the rows it means.
    """

    changes: list[tuple[str, int]] = field(default_factory=list)
    rows: dict[int, _Row] = field(default_factory=dict)
    last: int = 0

    def add(self, *, is_tagged: bool = True, status: str = "PENDING") -> str:
        self.last += 1
        self.rows[self.last] = _Row(str(uuid.uuid4()), is_tagged, status)
        return self.rows[self.last].id

    def change(self, name: str, which: int) -> None:
        places = list(self.rows)
        place = places[which % len(places)] if places else 0
        if name in {"create", "create other"}:
            self.add(is_tagged=name == "create")
        elif name == "delete":
            self.rows.pop(place, None)
        elif place and self.rows[place].status == "PENDING":
            self.rows[place].status = {"finish": "DONE", "fail": "ERROR"}[name]

    async def read_ids(self, question: IdQuery) -> IdPage:
        self._let_others_work()
        meant = [place for place in self.rows if self._means(place, question.q, question.statuses)]
        after = [place for place in meant if place > int(question.cursor or 0)][question.offset or 0 :]
        page = after[: question.limit]
        cursor = str(page[-1]) if len(after) > question.limit else None
        return IdPage([self.rows[place].id for place in page], len(meant), cursor)

    async def count(self, q: str | None, statuses: Sequence[str]) -> int:
        return (await self.read_ids(IdQuery(q, statuses, limit=1))).count

    async def filter_ids(self, ids: Sequence[str], q: str | None, statuses: Sequence[str]) -> list[str]:
        self._let_others_work()
        return [row.id for place, row in self.rows.items() if row.id in ids and self._means(place, q, statuses)]

    def finish_all(self) -> None:
        for which in range(len(self.rows)):
            self.change("finish", which)

    def arrived(self) -> set[str]:
        return {row.id for row in self.rows.values() if row.is_tagged and row.status == "DONE"}

    def _means(self, place: int, q: str | None, statuses: Sequence[str]) -> bool:
        row = self.rows[place]
        return (q is None or row.is_tagged) and row.status in statuses

    def _let_others_work(self) -> None:
        if self.changes:
            self.change(*self.changes.pop(0))


def _see_everything(lake: _ModelLake, position: Position, hold: int = 0) -> tuple[list[str], Position]:
    """Look until nothing changes any more, handing on all but the last `hold` of the new data; return what was seen."""
    seen: list[str] = []
    calm = 0
    while calm < 4:
        calm = 0 if lake.changes else calm + 1
        found = asyncio.run(scan(lake, TAGGED, position))  # type: ignore[arg-type]  # the model has the reader's methods
        ready = found.new_ids[: len(found.new_ids) - (hold if lake.changes else 0)]
        seen += ready
        position = Position.from_json(found.position.after(ready).to_json())
        calm = calm if found.is_complete else 0
    return seen, position


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "PAGE_SIZE", 2)
    monkeypatch.setattr(arrivals, "WINDOW_PAGES", 3)
    monkeypatch.setattr(arrivals, "_MAX_UNFINISHED", 2)


CHANGES = st.tuples(
    st.sampled_from([*["create"] * 5, "create other", *["finish"] * 8, "fail", "delete"]), st.integers(0, 1000)
)


# Shrinking a long story takes minutes.
@settings(max_examples=60, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@given(changes=st.lists(CHANGES, min_size=100, max_size=300), hold=st.integers(0, 2))
def test_each_data_that_arrives_is_seen_once(changes: list[tuple[str, int]], hold: int) -> None:
    """Created, finished in any order, failed and deleted, between any two questions; seen at once or held a while."""
    lake = _ModelLake(list(changes))

    seen, position = _see_everything(lake, Position(), hold)
    lake.finish_all()
    seen += _see_everything(lake, position)[0]

    assert lake.arrived() <= set(seen)
    assert len(seen) == len(set(seen))


def test_a_look_at_a_calm_lake_reads_no_more_than_its_window() -> None:
    """However many data there are, what was seen is not read again for ever."""
    lake = _ModelLake()
    for _ in range(200):
        lake.add(status="DONE")

    seen, position = _see_everything(lake, Position())

    assert len(seen) == 200
    assert len(position.seen) <= arrivals.PAGE_SIZE * arrivals.WINDOW_PAGES
    assert int(position.cursor or 0) >= 200 - arrivals.PAGE_SIZE * arrivals.WINDOW_PAGES


def test_one_that_the_lake_finishes_long_after_all_others_is_seen() -> None:
    """The window has moved on by then, and the position has travelled through JSON."""
    lake = _ModelLake()
    slow = lake.add()
    for _ in range(100):
        lake.add(status="DONE")
    seen, position = _see_everything(lake, Position())
    assert slow not in seen

    lake.rows[1].status = "DONE"
    late, _ = _see_everything(lake, position)

    assert late == [slow]


def test_one_that_is_tagged_after_others_have_come_is_seen() -> None:
    """As long as it lies within the window."""
    lake = _ModelLake()
    late = lake.add(is_tagged=False, status="DONE")
    for _ in range(arrivals.PAGE_SIZE):
        lake.add(status="DONE")
    seen, position = _see_everything(lake, Position())

    lake.rows[1].is_tagged = True

    assert late not in seen
    assert _see_everything(lake, position)[0] == [late]


@pytest.mark.parametrize("count", [0, 1, 5, 6, 7, 50])
def test_a_watch_may_begin_with_what_comes_from_now_on(count: int) -> None:
    """Nothing of what is there is new, however much it is; what comes then is."""
    lake = _ModelLake()
    for _ in range(count):
        lake.add(status="DONE")

    position = asyncio.run(start_position(lake, TAGGED, latest=True))  # type: ignore[arg-type]  # as above
    before, position = _see_everything(lake, position)
    coming = lake.add(status="DONE")

    assert before == []
    assert _see_everything(lake, position)[0] == [coming]


def test_the_positions_of_a_long_backlog_fit_into_airflows_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 20,000 data that are there when a watch begins with the earliest, each is seen once."""
    monkeypatch.setattr(arrivals, "PAGE_SIZE", 500)
    monkeypatch.setattr(arrivals, "WINDOW_PAGES", 4)
    lake, seen, sizes, position, is_complete = _ModelLake(), Counter[str](), [], Position(), False
    for _ in range(20_000):
        lake.add(status="DONE")

    while not is_complete:
        found = asyncio.run(scan(lake, TAGGED, position))  # type: ignore[arg-type]  # as above
        sizes.append(len(json.dumps(found.position.to_json())))
        position, is_complete = found.position.after(found.new_ids), found.is_complete
        seen.update(found.new_ids)
        sizes.append(len(json.dumps(position.to_json())))

    assert len(seen) == seen.total() == 20_000
    assert max(sizes) < WARNED_OF_BYTES


def test_a_position_fits_into_airflows_store() -> None:
    """With all that it may hold, it stays below the 64 KiB above which Airflow warns."""
    ids = [str(uuid.uuid4()) for _ in range(4 * 500)]
    waiting = tuple(str(uuid.uuid4()) for _ in range(arrivals.MAX_WAITING))
    position = Position("c" * 24, "c" * 24, waiting=waiting).after(ids)

    assert len(json.dumps(position.to_json())) < WARNED_OF_BYTES
    assert Position.from_json(json.loads(json.dumps(position.to_json()))) == position
