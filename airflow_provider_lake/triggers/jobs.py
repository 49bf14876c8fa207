"""Wait for jobs of the lake without holding a worker."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_lake.exceptions import LakePermanentError, LakeTriggerError, WaitTimeoutError
from airflow_provider_lake.hooks.jobs import OUTAGE_BUDGET_SECONDS, Patience, describe, kill_job
from airflow_provider_lake.hooks.lake import LakeHook, make_client

if TYPE_CHECKING:
    from airflow_provider_lake.client import Client


class JobTrigger(BaseTrigger):
    """Fires once every job has succeeded or one has not, or when they cannot be waited for any longer.

    The event is ``{"status": "ended"}``; the worker that resumes reads the jobs itself, so that it reports the same in
    every mode. Or it has a ``message``, and as its ``status`` ``"timeout"`` after the deadline, ``"refused"`` where the
    lake would refuse again, ``"silent"`` where it did not answer for too long. :func:`require_ended` reads it.

    :param job_ids: ids of the jobs.
    :param lake_conn_id: id of a connection of type ``lake``.
    :param poll_interval: seconds between two looks at the jobs.
    :param outage_budget: seconds without a break that the lake may fail to answer.
    :param deadline: when the wait is given up, in seconds since 1970; None: never.
    :param cancel_on_kill: kill the jobs when the task is killed while it waits (Airflow 3.3).
    """

    def __init__(
        self,
        *,
        job_ids: Sequence[str],
        lake_conn_id: str = LakeHook.default_conn_name,
        poll_interval: float = 5.0,
        outage_budget: float = OUTAGE_BUDGET_SECONDS,
        deadline: float | None = None,
        cancel_on_kill: bool = False,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's own
        self.job_ids = list(job_ids)
        self.lake_conn_id = lake_conn_id
        self.poll_interval = poll_interval
        self.outage_budget = outage_budget
        self.deadline = deadline
        self.cancel_on_kill = cancel_on_kill

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments to make this trigger again in another process."""
        names = ("job_ids", "lake_conn_id", "poll_interval", "outage_budget", "deadline", "cancel_on_kill")
        return f"{type(self).__module__}.{type(self).__qualname__}", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, then fire once."""
        from airflow_provider_lake.client import LakeError, RateLimitedError, ServerError, TransportError

        try:
            is_over = await self._wait()
        except (TransportError, ServerError, RateLimitedError) as error:
            yield TriggerEvent({"status": "silent", "message": str(error)})
        except LakeError as error:
            yield TriggerEvent({"status": "refused", "message": str(error)})
        else:
            if is_over:
                yield TriggerEvent({"status": "ended"})
            else:
                yield TriggerEvent({"status": "timeout", "message": "the jobs have not ended in time"})

    async def on_kill(self) -> None:
        """Kill the jobs too, where that was asked for."""
        if self.cancel_on_kill:
            client = await self._make_client()
            for job_id in self.job_ids:
                await asyncio.to_thread(kill_job, client, job_id, self.log)

    async def _wait(self) -> bool:
        """Look at the jobs until they have ended, or the deadline has passed; return whether they have ended."""
        seen: dict[str, str] = {}
        client, patience = None, Patience(self.outage_budget, self.log)
        try:
            while True:
                with patience.bear():
                    client = client or await self._make_client()
                    if await self._look(client, seen):
                        return True
                if self.deadline is not None and time.time() > self.deadline:
                    return False
                await asyncio.sleep(self.poll_interval)
        finally:
            if client is not None:
                client.close()

    async def _look(self, client: "Client", seen: dict[str, str]) -> bool:
        """Look at the jobs once; return whether there is nothing more to wait for: a failure is told at once.

        :param seen: how each job was when it was last told of.
        """
        is_over = True
        for job_id in self.job_ids:
            job = await asyncio.to_thread(client.get_job_by_id, job_id)
            if seen.get(job_id) != describe(job):
                seen[job_id] = describe(job)
                self.log.info("Waiting: %s", seen[job_id])
            if job.status.is_final and not job.status.is_successful:
                return True
            is_over = is_over and job.status.is_final
        return is_over

    async def _make_client(self) -> "Client":
        from airflow_provider_lake.client import RetryPolicy

        connection = await LakeHook.aget_connection(self.lake_conn_id)
        # One attempt: whoever waits asks again anyway, and a client that sleeps would hold a thread that others need.
        return await asyncio.to_thread(make_client, connection, RetryPolicy(attempts=1))


def require_ended(event: Mapping[str, Any] | None) -> None:
    """Let an event pass that says that the jobs have ended.

    :raises LakePermanentError: the lake refused to tell about a job.
    :raises WaitTimeoutError: the deadline has passed.
    :raises LakeTriggerError: the lake did not answer for too long, or the event is not one of ours.
    """
    match event:
        case {"status": "ended"}:
            return
        case {"status": "refused", "message": message}:
            raise LakePermanentError(message)
        case {"status": "timeout", "message": message}:
            raise WaitTimeoutError(message)
        case {"status": "silent", "message": message}:
            raise LakeTriggerError(message)
    raise LakeTriggerError(f"unexpected event {event!r}")
