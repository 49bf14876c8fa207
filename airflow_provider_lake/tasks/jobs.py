"""How tasks handle jobs of the lake: read them, describe them, log their output, and check for failures."""

import re
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from airflow_provider_lake.exceptions import LakeJobError
from airflow_provider_lake.tasks.outages import Logger
from airflow_provider_lake.tasks.summaries import JobSummary
from airflow_provider_lake.text.printable import one_line

if TYPE_CHECKING:
    from airflow_provider_lake.client import Client, Job

LOG_LINES = 20
# For a job that has succeeded, fewer lines are logged; for many jobs, only the output of the first.
DONE_LOG_LINES = 5
LOG_LINE_CHARACTERS = 1000
# Escape sequences for colours and cursor movement on a terminal.
_CONTROL_CHARACTERS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
MAX_LOGS = 10
# A job that was started a moment ago may not be known everywhere yet.
MISSING_GRACE_SECONDS = 5.0
# Poll interval of a young job; later the interval is at most a tenth of the job's age.
_FIRST_INTERVAL_SECONDS = 1.0
_SHORTEST_INTERVAL_SECONDS = 0.05
_INTERVAL_PER_AGE = 0.1
JobIds = str | UUID | Mapping[str, Any]


class JobLike(Protocol):
    """What describes a job: a job that was read, or an update of one."""

    @property
    def id(self) -> object:
        """Its id."""

    @property
    def status(self) -> object:
        """Its state."""

    @property
    def progress(self) -> Mapping[str, Any] | None:
        """Counts of its progress."""


def next_interval(age: float, poll_interval: float) -> float:
    """Return the seconds until the next poll of a job: short while it is young, at most ``poll_interval``.

    The result is never zero, even if ``poll_interval`` is.

    :param age: seconds since the wait for the job started.
    :param poll_interval: seconds, the longest interval.
    """
    return max(_SHORTEST_INTERVAL_SECONDS, min(poll_interval, max(_FIRST_INTERVAL_SECONDS, age * _INTERVAL_PER_AGE)))


def progress_counts(job: JobLike) -> dict[str, int]:
    """Return the counts of a job's progress; empty if the lake reports none."""
    return {name: count for name, count in (job.progress or {}).items() if isinstance(count, int)}


def describe_job(job: JobLike) -> str:
    """Describe a job in one line: its state and its progress."""
    counts = progress_counts(job)
    parts = [f"job {job.id} is {job.status}"]
    if "done" in counts and "total" in counts:
        parts.append(f"{counts.pop('done')} of {counts.pop('total')} done")
    return ", ".join(parts + [f"{count} {name}" for name, count in counts.items() if count])


def read_job(client: "Client", job_id: str) -> "Job":
    """Read a job; retry for a few seconds if the lake does not know it yet, as right after its start.

    :raises airflow_provider_lake.client.NotFoundError: the lake still does not know it after a few seconds.
    """
    from airflow_provider_lake.client import NotFoundError

    end = time.monotonic() + MISSING_GRACE_SECONDS
    while True:
        try:
            return client.get_job_by_id(job_id)
        except NotFoundError:
            if time.monotonic() > end:
                raise
        time.sleep(_FIRST_INTERVAL_SECONDS)


def require_no_failure(job: "Job", error: type[LakeJobError]) -> None:
    """Raise an error if a job has failed; return if it has succeeded or is still running.

    :param error: class of the error to raise; its message ends with the last lines of the job's log.
    :raises LakeJobError: the job failed or was killed.
    """
    if not job.status.is_final or job.status.is_successful:
        return
    message = "\n".join(map(_shorten, (job.error or "").splitlines()))
    lines = [f"job {job.id} ended as {job.status}{f': {message}' if message else ''}"]
    raise error("\n".join([*lines, *_log_tail(job)]))


def _log_tail(job: "Job") -> list[str]:
    from airflow_provider_lake.client import LakeError

    try:
        log = job.log_tail(LOG_LINES)
    except LakeError as error:
        # Do not hide the failure of the job behind this error.
        return [f"its log cannot be read: {error}"]
    return [f"the last {len(log)} lines of its log:", *map(_shorten, log)] if log else []


def _shorten(line: str) -> str:
    """Return a line of a program's output for a task's log: without colours, and cut if it is very long."""
    plain = one_line(_CONTROL_CHARACTERS.sub("", line).replace("\t", " "))
    if len(plain) <= LOG_LINE_CHARACTERS:
        return plain
    return f"{plain[:LOG_LINE_CHARACTERS]}… ({len(plain):,} characters)"


def log_output(jobs: "Sequence[Job]", log: Logger) -> None:
    """Log the last output lines of successful jobs, for the first few jobs; errors of the lake are only logged."""
    from airflow_provider_lake.client import LakeError

    for job in jobs[:MAX_LOGS]:
        try:
            lines = job.log_tail(DONE_LOG_LINES)
        except LakeError as error:
            log.info("The log of job %s cannot be read: %s", job.id, error)
            continue
        if lines:
            log.info("The last %d lines of the log of job %s:\n%s", len(lines), job.id, "\n".join(map(_shorten, lines)))
    if len(jobs) > MAX_LOGS:
        log.info("The logs of %d other jobs are in the lake", len(jobs) - MAX_LOGS)


def kill_job(client: "Client", job_id: str, log: Logger) -> None:
    """Kill a job that is still running; a failure is only logged, because the caller is being killed too."""
    from airflow_provider_lake.client import LakeError

    try:
        job = client.get_job_by_id(job_id)
        if not job.status.is_final:
            log.info("Killing %s", describe_job(job))
            job.kill()
    except LakeError as error:
        log.warning("Job %s could not be killed: %s", job_id, error)


def job_summary(job: "Job") -> JobSummary:
    """Return the summary of a task that waited for a job."""
    return {"job_id": str(job.id), "status": str(job.status), "progress": progress_counts(job) or None}
