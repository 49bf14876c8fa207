"""Trigger that waits for jobs of the lake without occupying a worker."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_lake import configuration
from airflow_provider_lake.arguments import (
    check_constants,
    read_flag,
    read_job_ids,
    read_optional_seconds,
    read_required_text,
    read_seconds,
)
from airflow_provider_lake.exceptions import LakeArgumentError
from airflow_provider_lake.hooks.lake import LakeHook
from airflow_provider_lake.tasks.heartbeat import log_heartbeat
from airflow_provider_lake.tasks.jobs import JobIds, describe_job
from airflow_provider_lake.triggers.events import ENDED, error_event, timeout_event
from airflow_provider_lake.triggers.handover import await_handover
from airflow_provider_lake.triggers.polling.poller import Poller, shared_poller

if TYPE_CHECKING:
    from airflow_provider_lake.triggers.polling.schedule import JobUpdate

# Airflow gives ``on_kill`` of a trigger 30 seconds.
_KILL_SECONDS = 20.0


class JobTrigger(BaseTrigger):
    """Fires once every job has succeeded, once one has failed, or when the wait fails.

    All triggers of a triggerer that wait on the same connection share one poller.

    The event is ``{"status": "ended"}``; the worker that resumes reads the jobs itself, so that the task returns the
    same in every mode. Otherwise the event has a ``message``, and its ``status`` is ``"timeout"`` after the deadline,
    ``"refused"`` if the lake would refuse again, or ``"outage"`` if an outage exceeded the budget.
    :func:`airflow_provider_lake.triggers.events.require_ended` reads it. With ``details``, the event also contains
    these and the ``job_id``: ``airflow dags test`` passes only the event to the task that resumes.

    :param job_id: id of a job, the summary of a task that started one, or several of these.
    :param lake_conn_id: id of a connection of type ``lake``.
    :param poll_interval: seconds or a ``timedelta``, the longest time between two polls of a job; young jobs are polled
        more often.
    :param outage_budget: seconds or a ``timedelta`` that one outage of the lake may last; None: as configured by
        ``[lake] outage_budget``.
    :param since: when the wait started, in seconds since 1970; None: when the trigger starts.
    :param deadline: when the wait times out, in seconds since 1970; None: never.
    :param cancel_on_kill: kill the jobs when the task is killed while it waits (Airflow 3.3).
    :param details: further values for the task that resumes; JSON.
    """

    def __init__(
        self,
        *,
        job_id: JobIds | Sequence[JobIds],
        lake_conn_id: str = LakeHook.default_conn_name,
        poll_interval: timedelta | float = 5.0,
        outage_budget: timedelta | float | None = None,
        since: float | None = None,
        deadline: float | None = None,
        cancel_on_kill: bool = False,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's own
        self.job_id = job_id
        self.lake_conn_id = lake_conn_id
        self.poll_interval = read_seconds("poll_interval", poll_interval)
        budget = read_optional_seconds("outage_budget", outage_budget)
        self.outage_budget = configuration.outage_budget() if budget is None else budget
        self.since = read_optional_seconds("since", since)
        self.deadline = read_optional_seconds("deadline", deadline)
        self.cancel_on_kill = read_flag("cancel_on_kill", cancel_on_kill)
        check_constants(read_job_ids, job_id=job_id)
        check_constants(read_required_text, lake_conn_id=lake_conn_id)
        self.details = details

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments to recreate this trigger in another process."""
        names = (
            *("job_id", "lake_conn_id", "poll_interval", "outage_budget", "since", "deadline", "cancel_on_kill"),
            "details",
        )
        return f"{type(self).__module__}.{type(self).__qualname__}", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, then fire once."""
        started = time.monotonic()
        payload = await self._wait()
        if self.details is not None:
            payload |= {"job_id": self.job_id, "details": self.details}
        await await_handover(started)
        yield TriggerEvent(payload)

    async def on_kill(self) -> None:
        """Kill the jobs too, if ``cancel_on_kill`` is set; a failure to kill one is logged."""
        if not self.cancel_on_kill:
            return
        from airflow_provider_lake.client import LakeError

        async with asyncio.timeout(_KILL_SECONDS), shared_poller(self.lake_conn_id) as poller:
            for job_id in read_job_ids("job_id", self.job_id):
                try:
                    await poller.kill_job(job_id, self.log)
                except LakeError as error:
                    self.log.warning("Job %s could not be killed: %s", job_id, error)

    async def _wait(self) -> dict[str, Any]:
        """Wait, and return the payload of the event."""
        try:
            async with asyncio.timeout(None if self.deadline is None else self.deadline - time.time()) as limit:
                return await self._poll_jobs()
        except TimeoutError:
            if not limit.expired():
                raise
            return timeout_event("the jobs have not ended in time")

    async def _poll_jobs(self) -> dict[str, Any]:
        try:
            job_ids = read_job_ids("job_id", self.job_id)
        except LakeArgumentError as error:  # where Airflow has rendered it for this trigger
            return {"status": "refused", "message": str(error)}
        if not job_ids:
            return {"status": "refused", "message": "no job id given to wait for"}
        try:
            if not await self._wait_on_shared_poller(job_ids):
                # The shared poller was opened before the Airflow connection changed to another lake.
                self.log.info("The lake does not know the job; the connection is read anew")
                async with shared_poller(self.lake_conn_id) as poller:
                    await self._await_end(poller, job_ids)
        except AirflowNotFoundException as error:
            return {"status": "refused", "message": str(error)}
        except Exception as error:
            # The poller has imported the client by now, outside the event loop.
            from airflow_provider_lake.client import LakeError

            if not isinstance(error, LakeError):
                raise
            return error_event(error)
        return dict(ENDED)

    async def _wait_on_shared_poller(self, job_ids: Sequence[str]) -> bool:
        """Wait for the jobs with a poller that may be shared; return whether its lake knows the jobs."""
        started = time.monotonic()
        async with shared_poller(self.lake_conn_id) as poller:
            from airflow_provider_lake.client import NotFoundError

            try:
                await self._await_end(poller, job_ids)
            except NotFoundError:
                if poller.opened_at >= started:
                    raise
                return False
        return True

    async def _await_end(self, poller: Poller, job_ids: Sequence[str]) -> None:
        """Return once every job has succeeded, or as soon as one has failed."""
        watch = poller.watch(
            job_ids,
            self.log,
            poll_interval=self.poll_interval,
            outage_budget=self.outage_budget,
            since=self.since,
            # The worker that deferred has polled before.
            token_was_accepted=self.since is not None,
        )
        latest: dict[str, JobUpdate] = {}

        def describe_all() -> str:
            if len(job_ids) == 1:
                return describe_job(latest[job_ids[0]]) if latest else f"job {job_ids[0]}"
            return f"{sum(job.status.is_final for job in latest.values())} of {len(job_ids)} jobs have ended"

        async with log_heartbeat(self.log, describe_all), aclosing(watch) as updates:
            async for job in updates:
                latest[job.id] = job
                self.log.info("Waiting: %s", describe_job(job))
                if job.status.is_final and not job.status.is_successful:
                    return
