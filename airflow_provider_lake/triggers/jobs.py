"""Wait for jobs of the lake without holding a worker."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_lake.hooks.lake import LakeHook, make_client

if TYPE_CHECKING:
    from airflow_provider_lake.client import Client

OUTAGE_BUDGET_SECONDS = 600.0


class JobTrigger(BaseTrigger):
    """Fires once every job has ended, or they cannot be asked any more.

    The event is ``{"status": "ended"}``: the worker that resumes reads the jobs itself, so that it reports the same in
    every mode. Or ``{"status": "refused", "message": str}``, where the lake would refuse again, or
    ``{"status": "silent", "message": str}``, where it did not answer for too long.

    :param job_ids: ids of the jobs.
    :param lake_conn_id: id of a connection of type ``lake``.
    :param poll_interval: seconds between two looks at the jobs.
    :param outage_budget: seconds that the lake may fail to answer, without a break, before the wait is given up.
    """

    def __init__(
        self,
        *,
        job_ids: Sequence[str],
        lake_conn_id: str = LakeHook.default_conn_name,
        poll_interval: float = 5.0,
        outage_budget: float = OUTAGE_BUDGET_SECONDS,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's own
        self.job_ids = list(job_ids)
        self.lake_conn_id = lake_conn_id
        self.poll_interval = poll_interval
        self.outage_budget = outage_budget

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments to make this trigger again in another process."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "job_ids": self.job_ids,
                "lake_conn_id": self.lake_conn_id,
                "poll_interval": self.poll_interval,
                "outage_budget": self.outage_budget,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll the jobs until all have ended."""
        from airflow_provider_lake.client import LakeError, RateLimitedError, ServerError, TransportError

        waiting, client, last_answer = set(self.job_ids), None, time.monotonic()
        while waiting:
            try:
                client = client or await self._make_client()
                for job_id in sorted(waiting):
                    job = await asyncio.to_thread(client.get_job_by_id, job_id)
                    last_answer = time.monotonic()
                    if job.status.is_final:
                        waiting.discard(job_id)
                        self.log.info("Job %s: %s", job_id, job.status)
            except (TransportError, ServerError, RateLimitedError) as error:
                silence = time.monotonic() - last_answer
                self.log.warning("The lake does not answer, for %.0f s now: %s", silence, error)
                if silence > self.outage_budget:
                    yield TriggerEvent({"status": "silent", "message": str(error)})
                    return
            except LakeError as error:
                yield TriggerEvent({"status": "refused", "message": str(error)})
                return
            if waiting:
                await asyncio.sleep(self.poll_interval)
        yield TriggerEvent({"status": "ended"})

    async def _make_client(self) -> "Client":
        connection = await LakeHook.aget_connection(self.lake_conn_id)
        return await asyncio.to_thread(make_client, connection)
