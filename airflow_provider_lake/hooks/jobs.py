"""What tasks do with jobs of the lake: describe them, judge them, and bear with a lake that does not answer."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_provider_lake import configuration
from airflow_provider_lake.exceptions import LakeJobError

if TYPE_CHECKING:
    from airflow_provider_lake.client import Client, Job

# Airflow's loggers are no logging.Logger everywhere.
Logger = Any
LOG_LINES = 20
OUTAGE_BUDGET_SECONDS = configuration.OUTAGE_BUDGET_SECONDS


def counts_of(job: "Job") -> dict[str, int]:
    """Return the counts of a job's progress; empty where the lake tells none."""
    return {name: count for name, count in (job.progress or {}).items() if isinstance(count, int)}


def describe(job: "Job") -> str:
    """Describe a job in one line: its state, and how far it is."""
    progress = "".join(f", {name} {count}" for name, count in counts_of(job).items())
    return f"job {job.id} is {job.status}{progress}"


def require_no_failure(job: "Job", error: type[LakeJobError]) -> None:
    """Let a job pass that has succeeded or still goes on.

    :param error: what to raise otherwise; its message ends with the last lines of the job's log.
    :raises LakeJobError: it failed or was killed.
    """
    if not job.status.is_final or job.status.is_successful:
        return
    lines = [f"job {job.id} ended as {job.status}{f': {job.error}' if job.error else ''}"]
    log = job.log_tail(LOG_LINES)
    if log:
        lines += [f"the last {len(log)} lines of its log:", *log]
    raise error("\n".join(lines))


def kill_job(client: "Client", job_id: str, log: Logger) -> None:
    """End a job that still goes on; that it cannot be ended is logged, for whoever asks is ending too."""
    from airflow_provider_lake.client import LakeError

    try:
        job = client.get_job_by_id(job_id)
        if not job.status.is_final:
            log.info("Killing %s", describe(job))
            job.kill()
    except LakeError as error:
        log.warning("Job %s could not be killed: %s", job_id, error)


class Patience:
    """Bears with a lake that does not answer, until it has been silent for too long.

    :param budget: seconds of silence without a break that are borne.
    """

    def __init__(self, budget: float, log: Logger) -> None:
        self._budget = budget
        self._log = log
        self._last_answer = time.monotonic()

    @contextmanager
    def bear(self) -> Iterator[None]:
        """Run a block that asks the lake; a passing fault ends the block, and nothing more, while the budget lasts.

        :raises airflow_provider_lake.client.LakeError: what is no passing fault, or one beyond the budget.
        """
        from airflow_provider_lake.client import RateLimitedError, ServerError, TransportError

        try:
            yield
            self._last_answer = time.monotonic()
        except (TransportError, ServerError, RateLimitedError) as error:
            silence = time.monotonic() - self._last_answer
            if silence > self._budget:
                raise
            self._log.warning("The lake does not answer, for %.0f s now: %s", silence, error)


def summary_of(job: "Job") -> dict[str, Any]:
    """Return what a task that waited for a job says about it."""
    return {"job_id": str(job.id), "status": str(job.status), "progress": counts_of(job) or None}
