"""One watcher of arriving data: when it scans, how it batches, and where it resumes after a restart."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from airflow.providers.common.compat.sdk import AirflowException
from airflow.sdk.exceptions import AirflowRuntimeError

from airflow_provider_lake.tasks.outages import Logger
from airflow_provider_lake.triggers.arrivals import Position, ScanResult, is_query_accepted, scan, start_position
from airflow_provider_lake.triggers.polling.reader import DataReader

# An event reaches Airflow's database a second or two after it fires. If the position were stored before that, a crash
# would lose the event; if it is stored later, the event only fires again.
SAVE_DELAY_SECONDS = 5.0
# Not every change shows in a tick: existing data may get a tag.
MAX_IDLE_TICKS = 10
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Tick:
    """State of a datalake at one poll.

    :param count: number of all data.
    :param unfinished: number of data that the lake has not finished.
    """

    count: int
    unfinished: int


@dataclass(frozen=True, slots=True)
class Batching:
    """How arrived data are grouped into events.

    :param min_count: minimum number of data in one event; fewer wait for more.
    :param max_count: maximum number of data in one event.
    :param quiet_period: seconds without new arrivals before an event fires.
    :param max_wait: seconds after which waiting data fire an event in any case; None: never.
    """

    min_count: int
    max_count: int
    quiet_period: float
    max_wait: float | None


class PositionStore:
    """Stores a watcher's position in Airflow's asset state store (Airflow 3.3), if there is one.

    :param store: Airflow's asset state store; None: there is none.
    :param key: key of the position; each selection of data has its own.
    """

    def __init__(self, store: Any, key: str, log: Logger) -> None:
        self._store = store
        self._key = key
        self._log = log
        self._saved: Position | None = None
        if store is None:
            log.warning("This Airflow keeps no state of assets: data that arrive during a restart are not noticed")

    async def load(self) -> Position | None:
        """Return the stored position; None: there is none."""
        record = await self._call("get", self._key)
        if record is None:
            return None
        try:
            self._saved = Position.from_json(record)
        except (KeyError, TypeError):
            self._log.warning("What is kept under %s is no position: beginning anew", self._key)
        return self._saved

    async def save(self, position: Position) -> None:
        """Store a position, unless it equals the stored one."""
        if position != self._saved:
            await self._call("set", self._key, position.to_json())
            self._saved = position

    async def _call(self, name: str, *arguments: Any) -> Any:
        if self._store is None:
            return None
        try:
            # The asynchronous methods came with 3.3.2.
            if hasattr(self._store, f"a{name}"):
                return await getattr(self._store, f"a{name}")(*arguments)
            return await asyncio.to_thread(getattr(self._store, name), *arguments)
        except ValueError:
            self._store = None
            self._log.warning(
                "Several assets share this trigger, so its position is not kept: give each one a consumer"
            )
            return None


class Watcher:
    """Scans for arrived data when its datalake has changed.

    :param query: query that selects the data; None: all data.
    :param from_latest: without a stored position, start with the data that arrive from now on.
    """

    def __init__(
        self,
        reader: DataReader,
        query: str | None,
        batching: Batching,
        store: PositionStore,
        log: Logger,
        *,
        from_latest: bool,
    ) -> None:
        self._reader = reader
        self._query = query
        self._batching = batching
        self._store = store
        self._log = log
        self._from_latest = from_latest
        self._position: Position | None = None
        self._seen_tick: Tick | None = None
        self._idle_ticks = 0
        # Ids of data that wait for more, the time when the first of them was found, and the time of the last arrival.
        self._held_ids: frozenset[str] = frozenset()
        self._held_since = self._last_arrival = 0.0

    async def process(self, tick: Tick) -> AsyncIterator[Sequence[str]]:
        """Yield the ids of the data that are due, one batch per event; a failed request ends the scan."""
        if not self._needs_scan(tick):
            return
        is_complete = False
        while not is_complete:
            result = await self._tolerate(self._scan)
            if result is None:
                return
            self._position, has_fired = result.position, False
            for ids in self._batches(result.new_ids):
                yield ids
                self._position, has_fired = self._position.after(ids), True
            if has_fired:
                await asyncio.sleep(SAVE_DELAY_SECONDS)
            await self._tolerate(self._save_position)
            is_complete = result.is_complete
        self._seen_tick, self._idle_ticks = tick, 0

    def _needs_scan(self, tick: Tick) -> bool:
        self._idle_ticks += 1
        if self._position is None or self._position.waiting or self._held_ids:
            return True
        return tick != self._seen_tick or self._idle_ticks >= MAX_IDLE_TICKS

    async def _scan(self) -> ScanResult:
        from airflow_provider_lake.client import BadRequestError

        if self._position is None:
            self._position = await self._store.load() or await self._start()
        try:
            return await scan(self._reader, self._query, self._position)
        except BadRequestError as error:
            if self._position.cursor is None or not await is_query_accepted(self._reader, self._query):
                raise
            self._log.error("The lake no longer knows where this watch has come (%s): beginning anew", error)
            return await scan(self._reader, self._query, await self._start())

    async def _start(self) -> Position:
        position = await start_position(self._reader, self._query, latest=self._from_latest)
        # Otherwise a restart before the first arrival would start later, and miss data that arrived in between.
        await self._store.save(position)
        return position

    async def _save_position(self) -> None:
        if self._position is not None:
            await self._store.save(self._position)

    async def _tolerate(self, operation: Callable[[], Awaitable[_T]]) -> _T | None:
        """Run an operation; log errors of the lake and of Airflow, and continue at the next tick."""
        from airflow_provider_lake.client import LakeError

        try:
            return await operation()
        except (LakeError, AirflowException, AirflowRuntimeError) as error:
            self._log.warning("Not looked for data: %s", error)
            return None

    def _batches(self, new_ids: Sequence[str]) -> Iterator[Sequence[str]]:
        """Split the data that are due into batches; hold the rest back."""
        now, size = time.monotonic(), self._batching.max_count
        if not self._held_ids:
            self._held_since = now
        if not self._held_ids.issuperset(new_ids):
            self._last_arrival = now
        rest = list(new_ids)
        while len(rest) >= size or (rest and self._is_due(len(rest), now)):
            batch, rest = rest[:size], rest[size:]
            self._held_ids = frozenset(rest)
            yield batch
        self._held_ids = frozenset(rest)

    def _is_due(self, count: int, now: float) -> bool:
        batching = self._batching
        if batching.max_wait is not None and now - self._held_since >= batching.max_wait:
            return True
        return count >= batching.min_count and now - self._last_arrival >= batching.quiet_period
