"""When a watcher keeps its position: long enough after its event that Airflow has that."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import pytest

from airflow_provider_lake.client.listing.ids import IdPage, IdQuery
from airflow_provider_lake.triggers.watcher import SAVE_DELAY_SECONDS, Batching, PositionStore, Tick, Watcher


class _Reader:
    """Reads a datalake with one finished data."""

    async def read_ids(self, question: IdQuery) -> IdPage:
        ids = ["one"] if "DONE" in question.statuses and not question.cursor and not question.offset else []
        return IdPage(ids, len(ids), None)

    async def count(self, q: str | None, statuses: Sequence[str]) -> int:
        return len((await self.read_ids(IdQuery(q, statuses, limit=1))).ids)

    async def filter_ids(self, ids: Sequence[str], *_filters: object) -> list[str]:
        return list(ids)


class _Store:
    """What Airflow keeps for a watched asset."""

    def __init__(self, happened: list[str]) -> None:
        self.happened = happened

    async def aget(self, _key: str) -> Any:
        return None

    async def aset(self, _key: str, value: Any) -> None:
        self.happened.append("kept with the data" if "one" in repr(value) else "kept")


def test_a_position_is_kept_seconds_after_its_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """A triggerer that is killed in between fires again; one that had kept it would have lost the event."""
    happened: list[str] = []

    async def sleep(seconds: float) -> None:
        happened.append(f"slept {seconds}")

    async def run() -> None:
        monkeypatch.setattr(asyncio, "sleep", sleep)
        log = logging.getLogger("watch")
        watching = Watcher(
            _Reader(),  # type: ignore[arg-type]  # as far as a watch asks
            None,
            Batching(1, 10, 0.0, None),
            PositionStore(_Store(happened), "position", log),
            log,
            from_latest=False,
        )
        async for ids in watching.process(Tick(1, 0)):
            happened.append(f"fired {ids}")  # noqa: PERF401 - others write into it meanwhile

    asyncio.run(run())

    assert happened[-3:] == ["fired ['one']", f"slept {SAVE_DELAY_SECONDS}", "kept with the data"]
    assert SAVE_DELAY_SECONDS >= 5
