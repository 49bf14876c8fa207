"""Triggers that wait for data: for arriving data, to start DAGs, and for as many data as a task needs."""

import asyncio
import hashlib
import json
import logging
import math
import random
import time
from collections.abc import AsyncIterator, Hashable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

from airflow.providers.common.compat.sdk import AirflowException, AirflowNotFoundException
from airflow.sdk.exceptions import AirflowRuntimeError
from airflow.triggers.base import BaseEventTrigger, BaseTrigger, TriggerEvent

from airflow_provider_lake import configuration
from airflow_provider_lake.arguments import (
    read_choice,
    read_count,
    read_flag,
    read_names,
    read_optional_seconds,
    read_required_text,
    read_seconds,
    read_text,
)
from airflow_provider_lake.hooks.lake import LakeHook
from airflow_provider_lake.tasks.heartbeat import log_heartbeat
from airflow_provider_lake.tasks.outages import OutageBudget
from airflow_provider_lake.tasks.summaries import ArrivalPayload
from airflow_provider_lake.triggers.events import ENDED, error_event, timeout_event
from airflow_provider_lake.triggers.handover import await_handover
from airflow_provider_lake.triggers.polling.reader import DataReader, load_client
from airflow_provider_lake.triggers.watcher import Batching, PositionStore, Tick, Watcher

logger = logging.getLogger(__name__)

_MAX_PAUSE_SECONDS = 300.0
_MAX_MIN_COUNT = 200
_MAX_COUNT = 1000


class LakeDataTrigger(BaseEventTrigger):
    """Fires whenever matching data have arrived in a datalake: for an ``AssetWatcher``, which starts DAGs.

    Data arrive when the lake has finished them and they match. Data that get a matching tag later arrive at that time,
    unless 500 or more matching data were created after them. Data that are deleted before the event do not arrive.

    The event's payload is ``{"datalake", "datalake_id", "count", "data_ids", "tags", "query"}``;
    :func:`~airflow_provider_lake.assets.lake.arrived_data_ids` reads it.

    On Airflow 3.3 the position in the datalake is stored with the watched asset. A restart of the triggerer then loses
    no data, but events of its last seconds may fire again. On earlier versions, and if several assets share an equal
    trigger, a restart starts over as ``begin`` defines. If the lake fails to respond or refuses a request, the trigger
    retries without end.

    :param lake_conn_id: id of a connection of type ``lake``.
    :param datalake: name of the datalake; None: the connection's, else the organization's default one.
    :param tags: names of data tags; matches data that have one of them. Neither tags nor query: all data.
    :param intersect_tags: match only data that have all of ``tags``.
    :param query: selection in the lake's query language.
    :param begin: where a trigger without a stored position starts: with the data that arrive from now on
        (``"latest"``), or with all existing data (``"earliest"``).
    :param poll_interval: seconds or a ``timedelta`` between two polls of the lake.
    :param min_count: minimum number of data in one event, fewer wait for more; 1 to 200.
    :param max_count: maximum number of data in one event; 1 to 1,000.
    :param quiet_period: seconds or a ``timedelta`` without new arrivals before the event fires, so that data that
        arrive together start one run; ``max_count`` data do not wait.
    :param max_wait: seconds or a ``timedelta`` after which waiting data fire an event in any case; None: never.
    :param consumer: distinguishes otherwise equal triggers: give each of several watched assets its own name.
    :raises LakeArgumentError: an argument is missing, or out of its range; a ``ValueError``.
    """

    def __init__(
        self,
        *,
        lake_conn_id: str = LakeHook.default_conn_name,
        datalake: str | None = None,
        tags: str | Sequence[str] | None = None,
        intersect_tags: bool = False,
        query: str | None = None,
        begin: Literal["latest", "earliest"] = "latest",
        poll_interval: timedelta | float = 30.0,
        min_count: int = 1,
        max_count: int = 200,
        quiet_period: timedelta | float = 0.0,
        max_wait: timedelta | float | None = None,
        consumer: str = "",
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's own
        self.lake_conn_id = read_required_text("lake_conn_id", lake_conn_id)
        self.datalake = read_text("datalake", datalake)
        self.tags = read_names("tags", tags)
        self.intersect_tags = read_flag("intersect_tags", intersect_tags)
        self.query = read_text("query", query)
        self.begin = read_choice("begin", begin, ("latest", "earliest"))
        self.poll_interval = read_seconds("poll_interval", poll_interval, exclusive_minimum=0)
        self.min_count = read_count("min_count", min_count, 1, _MAX_MIN_COUNT)
        self.max_count = read_count("max_count", max_count, self.min_count, _MAX_COUNT)
        self.quiet_period = read_seconds("quiet_period", quiet_period)
        self.max_wait = read_optional_seconds("max_wait", max_wait)
        self.consumer = read_text("consumer", consumer) or ""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments to recreate this trigger in another process.

        The arguments survive a round trip through JSON: otherwise Airflow would recreate the trigger at each DAG parse.
        """
        names = (
            *("lake_conn_id", "datalake", "tags", "intersect_tags", "query", "begin", "poll_interval"),
            *("min_count", "max_count", "quiet_period", "max_wait", "consumer"),
        )
        return f"{type(self).__module__}.{type(self).__qualname__}", {name: getattr(self, name) for name in names}

    def shared_stream_key(self) -> Hashable:
        """Return the key of the shared stream: triggers with the same key share one poll of the datalake."""
        return (type(self).__qualname__, self.lake_conn_id, self.datalake, self.poll_interval)

    @classmethod
    async def open_shared_stream(cls, kwargs: Mapping[str, Any]) -> AsyncIterator[Tick]:
        """Yield the state of the datalake at each poll; in an outage the delay between polls grows."""
        await load_client()
        from airflow_provider_lake.client import LakeError
        from airflow_provider_lake.client.listing.ids import ANY_STATUS, UNFINISHED

        reader, failures, pause = DataReader(kwargs["lake_conn_id"], kwargs["datalake"]), 0, 0.0
        try:
            while True:
                try:
                    tick = Tick(await reader.count(None, ANY_STATUS), await reader.count(None, UNFINISHED))
                except (LakeError, AirflowException, AirflowRuntimeError) as error:
                    failures += 1
                    pause = _delay(kwargs["poll_interval"], failures, getattr(error, "retry_after", None))
                    logger.warning("The lake does not answer, next try in %.0f s: %s", pause, error)
                else:
                    failures, pause = 0, _delay(kwargs["poll_interval"], 0, None)
                    yield tick
                await asyncio.sleep(pause)
        finally:
            await reader.close()

    async def filter_shared_stream(self, shared_stream: AsyncIterator[Tick]) -> AsyncIterator[TriggerEvent]:
        """Scan for arrived data when the datalake has changed, and fire for those that match."""
        await load_client()
        reader = DataReader(self.lake_conn_id, self.datalake)
        watcher, reported = self._make_watcher(reader), 0
        try:
            async with log_heartbeat(self.log, lambda: f"{reported} data have arrived so far"):
                async for tick in shared_stream:
                    async for ids in watcher.process(tick):
                        reported += len(ids)
                        yield TriggerEvent(await self._describe(reader, ids))
        finally:
            await reader.close()

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Do the same without a shared stream, on Airflow versions that have none (below 3.3)."""
        async for event in self.filter_shared_stream(self.open_shared_stream(self.serialize()[1])):
            yield event

    def _make_watcher(self, reader: DataReader) -> Watcher:
        identity = json.dumps([self.lake_conn_id, self.datalake, self.tags, self.intersect_tags, self.query])
        key = f"lake_position_{hashlib.sha256(identity.encode()).hexdigest()[:16]}"
        return Watcher(
            reader,
            self._full_query,
            Batching(self.min_count, self.max_count, self.quiet_period, self.max_wait),
            PositionStore(getattr(self, "asset_state_store", None), key, self.log),
            self.log,
            from_latest=self.begin == "latest",
        )

    async def _describe(self, reader: DataReader, ids: Sequence[str]) -> ArrivalPayload:
        datalake = await reader.get_datalake()
        return {
            "datalake": datalake.name,
            "datalake_id": datalake.id,
            "count": len(ids),
            "data_ids": list(ids),
            "tags": self.tags,
            "query": self.query,
        }

    @property
    def _full_query(self) -> str | None:
        """The query that combines ``query`` and ``tags``."""
        from airflow_provider_lake.client.listing.selection import Selection

        return Selection(tags=self.tags, intersect_tags=self.intersect_tags, q=self.query or None).query


class DataTrigger(BaseTrigger):
    """Fires once enough data match, or when the wait fails.

    Its events are those of :mod:`airflow_provider_lake.triggers.events`. The worker that resumes counts again, so that
    the task returns the same in every mode.

    :param min_count: how many data are enough.
    :param query: selection in the lake's query language.
    :param lake_conn_id: id of a connection of type ``lake``.
    :param datalake: name of the datalake; None: the connection's, else the organization's default one.
    :param poll_interval: seconds or a ``timedelta`` between two polls of the lake.
    :param outage_budget: seconds or a ``timedelta`` that one outage of the lake may last; None: as configured by
        ``[lake] outage_budget``.
    :param deadline: when the wait times out, in seconds since 1970; None: never.
    """

    def __init__(
        self,
        *,
        min_count: int,
        query: str,
        lake_conn_id: str = LakeHook.default_conn_name,
        datalake: str | None = None,
        poll_interval: timedelta | float = 30.0,
        outage_budget: timedelta | float | None = None,
        deadline: float | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's own
        self.min_count = read_count("min_count", min_count)
        self.query = read_required_text("query", query)
        self.lake_conn_id = read_required_text("lake_conn_id", lake_conn_id)
        self.datalake = read_text("datalake", datalake)
        self.poll_interval = read_seconds("poll_interval", poll_interval)
        budget = read_optional_seconds("outage_budget", outage_budget)
        self.outage_budget = configuration.outage_budget() if budget is None else budget
        self.deadline = read_optional_seconds("deadline", deadline)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments to recreate this trigger in another process."""
        names = ("min_count", "query", "lake_conn_id", "datalake", "poll_interval", "outage_budget", "deadline")
        return f"{type(self).__module__}.{type(self).__qualname__}", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, then fire once."""
        started = time.monotonic()
        payload = await self._poll()
        await await_handover(started)
        yield TriggerEvent(payload)

    async def _poll(self) -> dict[str, Any]:
        """Wait, and return the payload of the event."""
        await load_client()
        from airflow_provider_lake.client import LakeError

        try:
            has_come = await self._wait()
        except LakeError as error:
            return error_event(error)
        except AirflowNotFoundException as error:
            return {"status": "refused", "message": str(error)}
        return dict(ENDED) if has_come else timeout_event(f"there are no {self.min_count} data in time")

    async def _wait(self) -> bool:
        """Count until there are enough or the deadline has passed; return whether there are enough."""
        from airflow_provider_lake.client import LakeError
        from airflow_provider_lake.client.listing.ids import FINISHED

        reader, last = DataReader(self.lake_conn_id, self.datalake), -1
        # The worker that deferred has polled before.
        budget = OutageBudget(self.outage_budget, self.log, token_was_accepted=True)
        try:
            async with log_heartbeat(self.log, lambda: self._describe(last)):
                while True:
                    try:
                        count = await reader.count(self.query, FINISHED)
                    except LakeError as error:
                        budget.tolerate(error)
                    else:
                        budget.reset()
                        if count != last:
                            last = count
                            self.log.info("Waiting: %s", self._describe(last))
                        if count >= self.min_count:
                            return True
                    left = math.inf if self.deadline is None else self.deadline - time.time()
                    if left <= 0:
                        return False
                    await asyncio.sleep(min(left, budget.next_delay(self.poll_interval)))
        finally:
            await reader.close()

    def _describe(self, count: int) -> str:
        return f"{count} of {self.min_count} data" if count >= 0 else f"{self.min_count} data"


def _delay(interval: float, failures: int, retry_after: float | None) -> float:
    """Return the seconds until the next poll: they grow with each failure, and are random to spread the load."""
    longest = max(interval, _MAX_PAUSE_SECONDS)
    pause = min(interval * 2.0 ** min(failures, 16), longest) * random.uniform(0.9, 1.1)
    return max(pause, min(retry_after or 0.0, longest))
