"""Registers data by group commit: registrations that arrive during one transaction are written together in the next.

A commit takes long, because it waits for the disk. So all waiting registrations share it, and the lake responds to
each of them after it.
"""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from airflow_provider_lake.server.context import Lake
from airflow_provider_lake.server.errors import BadRequestError, UnavailableError
from airflow_provider_lake.server.store.database import DATABASE_UNUSABLE
from airflow_provider_lake.server.store.queries import registrations
from airflow_provider_lake.server.store.queries.registrations import Outcome, Registered, Registration

# Maximum number of registrations in one transaction.
_BATCH = 256
_GATHER_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class _Pending:
    """A registration, and the future of its outcome."""

    registration: Registration
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Registered]"


class Registrar:
    """Registers data in one thread.

    :param on_added: called after data were added.
    """

    def __init__(self, lake: Lake, on_added: Callable[[], None]) -> None:
        self._lake = lake
        self._on_added = on_added
        self._condition = threading.Condition()
        self._pending: list[_Pending] = []
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="registrar")

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and return once all waiting registrations are written."""
        with self._condition:
            self._stopping = True
            self._condition.notify()
        self._thread.join()

    async def register(self, registration: Registration) -> Registered:
        """Register an object as data, and return when that is written to the disk.

        :raises ApiError: the registration is refused.
        """
        loop = asyncio.get_running_loop()
        pending = _Pending(registration, loop, loop.create_future())
        with self._condition:
            self._pending.append(pending)
            self._condition.notify()
        return await pending.future

    def _run(self) -> None:
        expected = 1
        while batch := self._next_batch(expected):
            outcomes = self._write_all([each.registration for each in batch])
            if any(isinstance(outcome, Registered) for outcome in outcomes):
                self._on_added()
            # One event loop serves all requests: wake it once for the whole batch.
            batch[0].loop.call_soon_threadsafe(_deliver, batch, outcomes)
            # Clients that get a response now are likely to send the next registration soon.
            expected = min(len(batch) + len(self._pending), _BATCH)

    def _next_batch(self, expected: int) -> list[_Pending]:
        """Wait for registrations, and briefly for as many as expected; none are left once the registrar stops."""
        with self._condition:
            self._condition.wait_for(lambda: self._pending or self._stopping)
            self._condition.wait_for(lambda: len(self._pending) >= expected or self._stopping, _GATHER_SECONDS)
            batch, self._pending = self._pending[:_BATCH], self._pending[_BATCH:]
            return batch

    def _write_all(self, batch: Sequence[Registration]) -> Sequence[Outcome | Exception]:
        try:
            return self._write(batch)
        except Exception as error:  # noqa: BLE001 - each waiting request raises it
            is_of_all = isinstance(error, (*DATABASE_UNUSABLE, UnavailableError))
            if len(batch) == 1 or is_of_all:
                return [error] * len(batch)
            # One registration may be invalid: write each by itself, so that only that one fails.
            return [outcome for each in batch for outcome in self._write_all([each])]

    def _write(self, batch: Sequence[Registration]) -> list[Outcome]:
        sizes = self._sizes(batch)
        outcomes: dict[int, Outcome] = {
            index: BadRequestError(f"no object {each.object_name!r} was uploaded")
            for index, each in enumerate(batch)
            if index not in sizes
        }
        stored = [
            replace(batch[index], values={**batch[index].values, "file_size": size}) for index, size in sizes.items()
        ]
        if stored:
            with self._lake.database.writing() as session:
                found = registrations.register(session, stored)
            outcomes |= zip(sizes, found, strict=True)
        return [outcomes[index] for index in range(len(batch))]

    def _sizes(self, batch: Sequence[Registration]) -> dict[int, int]:
        """Return the sizes of the stored objects, by index in the batch."""
        indexes_by_organization: dict[UUID, list[int]] = defaultdict(list)
        for index, each in enumerate(batch):
            indexes_by_organization[each.organization_id].append(index)
        sizes: dict[int, int] = {}
        for organization_id, indexes in indexes_by_organization.items():
            blobs = self._lake.stores.for_organization(organization_id).stat_many(
                [batch[index].object_name for index in indexes]
            )
            sizes |= {index: blob.size for index, blob in zip(indexes, blobs, strict=True) if blob is not None}
        return sizes


def _deliver(batch: Sequence[_Pending], outcomes: Sequence[Outcome | Exception]) -> None:
    for pending, outcome in zip(batch, outcomes, strict=True):
        if pending.future.done():
            continue  # the client has disconnected
        if isinstance(outcome, Registered):
            pending.future.set_result(outcome)
        else:
            pending.future.set_exception(outcome)
