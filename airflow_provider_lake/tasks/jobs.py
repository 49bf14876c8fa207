"""What tasks do with jobs of the lake: describe them, judge them, and bear with a lake that does not answer."""

import math
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from uuid import UUID

from airflow_provider_lake.exceptions import LakeJobError
from airflow_provider_lake.tasks.summaries import JobSummary
from airflow_provider_lake.text.printable import one_line

if TYPE_CHECKING:
    from airflow_provider_lake.client import Client, Job

# Airflow's loggers are no logging.Logger everywhere.
Logger = Any
LOG_LINES = 20
# Of a job that has succeeded, fewer are of interest; and of many jobs, the output of some.
DONE_LOG_LINES = 5
LOG_LINE_CHARACTERS = 1000
# By which programs colour and move what they print on a terminal.
_CONTROL_CHARACTERS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
MAX_LOGS = 10
# A job that was started a moment ago may not be known everywhere yet.
MISSING_GRACE_SECONDS = 5.0
# A job is looked at this often while it is young, and never noticed later than after a tenth more of its time.
_FIRST_INTERVAL_SECONDS = 1.0
_SHORTEST_INTERVAL_SECONDS = 0.05
_INTERVAL_PER_AGE = 0.1
# The longest pause between two looks while the lake does not answer, where `poll_interval` is shorter.
_MAX_BACKOFF_SECONDS = 60.0
_MARGIN_SECONDS = 0.01

_T = TypeVar("_T")
JobIds = str | UUID | Mapping[str, Any]


class JobLike(Protocol):
    """What a job is described by: one that was read, or news of one."""

    @property
    def id(self) -> object:
        """Its id."""

    @property
    def status(self) -> object:
        """Its state."""

    @property
    def progress(self) -> Mapping[str, Any] | None:
        """Counts of what it does."""


def next_interval(age: float, poll_interval: float) -> float:
    """Return the seconds until the next look at a job: short while it is young, and never longer than asked.

    Nor is it ever without a pause, whatever was asked.

    :param age: seconds that it has been waited for.
    :param poll_interval: seconds, the longest interval.
    """
    return max(_SHORTEST_INTERVAL_SECONDS, min(poll_interval, max(_FIRST_INTERVAL_SECONDS, age * _INTERVAL_PER_AGE)))


def backoff(interval: float, failures: int) -> float:
    """Return the seconds until a lake that does not answer is asked again: random, longer each time, never shorter.

    :param interval: seconds while it answers.
    :param failures: how often in a row it has failed to.
    """
    longest = min(_MAX_BACKOFF_SECONDS, interval * 2.0 ** min(failures, 16))
    return max(interval, random.uniform(0.5, 1.0) * longest)


def progress_counts(job: JobLike) -> dict[str, int]:
    """Return the counts of a job's progress; empty where the lake tells none."""
    return {name: count for name, count in (job.progress or {}).items() if isinstance(count, int)}


def describe_job(job: JobLike) -> str:
    """Describe a job in one line: its state, and how far it is."""
    counts = progress_counts(job)
    parts = [f"job {job.id} is {job.status}"]
    if "done" in counts and "total" in counts:
        parts.append(f"{counts.pop('done')} of {counts.pop('total')} done")
    return ", ".join(parts + [f"{count} {name}" for name, count in counts.items() if count])


def read_job(client: "Client", job_id: str) -> "Job":
    """Read a job, which may have been started a moment ago and not be known yet.

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
    """Let a job pass that has succeeded or still goes on.

    :param error: what to raise otherwise; its message ends with the last lines of the job's log.
    :raises LakeJobError: it failed or was killed.
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
        # That the job has failed is known, and matters more.
        return [f"its log cannot be read: {error}"]
    return [f"the last {len(log)} lines of its log:", *map(_shorten, log)] if log else []


def _shorten(line: str) -> str:
    """Return a line of a program's output for a task's log: without colours, and cut where it is very long."""
    plain = one_line(_CONTROL_CHARACTERS.sub("", line).replace("\t", " "))
    if len(plain) <= LOG_LINE_CHARACTERS:
        return plain
    return f"{plain[:LOG_LINE_CHARACTERS]}… ({len(plain):,} characters)"


def log_output(jobs: "Sequence[Job]", log: Logger) -> None:
    """Log the last lines that jobs which have succeeded have message, of a few of them; it fails nothing."""
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
    """End a job that still goes on; that it cannot be ended is logged, for whoever asks is ending too."""
    from airflow_provider_lake.client import LakeError

    try:
        job = client.get_job_by_id(job_id)
        if not job.status.is_final:
            log.info("Killing %s", describe_job(job))
            job.kill()
    except LakeError as error:
        log.warning("Job %s could not be killed: %s", job_id, error)


class OutageBudget:
    """Bears with a lake that does not answer, until it has been silent for too long.

    :param budget: seconds of silence without a break that are borne.
    :param outage_since: when the silence began, in seconds since 1970, if an earlier process has seen that.
    :param retry_at: when the lake wants to be asked again at the earliest, in seconds since 1970.
    :param token_was_accepted: whether the lake has accepted the token before. A refusal after that may mean that the
        token is being rotated and the connection does not have the new one yet: it counts as an outage.
    """

    def __init__(
        self,
        budget: float,
        log: Logger,
        outage_since: float | None = None,
        retry_at: float = 0.0,
        *,
        token_was_accepted: bool = False,
    ) -> None:
        self.retry_at = retry_at
        self.token_was_accepted = token_was_accepted
        self._budget = budget
        self._log = log
        self._failures = 0 if outage_since is None else 1
        self._outage_since = time.monotonic() - max(0.0, time.time() - (outage_since or math.inf))

    @property
    def in_outage(self) -> bool:
        """Whether the lake did not answer when it was last asked."""
        return self._failures > 0

    @property
    def outage_seconds(self) -> float:
        """Seconds since the lake first did not answer, of all times since it last did; 0: it does answer."""
        return time.monotonic() - self._outage_since if self._failures else 0.0

    @property
    def is_exhausted(self) -> bool:
        """Whether the lake has been silent for too long."""
        return self._failures > 0 and self.outage_seconds >= self._budget

    @property
    def is_backing_off(self) -> bool:
        """Whether the lake wants to be left alone for now, and can be without being silent for too long."""
        return time.time() < self.retry_at and not self.is_exhausted

    @contextmanager
    def bear(self) -> Iterator[None]:
        """Run a block that asks the lake; a passing fault ends the block, and nothing more, while the budget lasts.

        :raises airflow_provider_lake.client.LakeError: what is no passing fault, or one beyond the budget.
        """
        from airflow_provider_lake.client import RateLimitedError, ServerError, TransportError, UnauthorizedError

        try:
            yield
            self._failures, self.token_was_accepted = 0, True
        except (TransportError, ServerError, RateLimitedError, UnauthorizedError) as error:
            if isinstance(error, UnauthorizedError) and not self.token_was_accepted:
                raise
            if not self._failures:
                self._outage_since = time.monotonic()
            self._failures += 1
            self.retry_at = time.time() + (getattr(error, "retry_after", None) or 0.0)
            if self.is_exhausted:
                raise
            self._log.warning("The lake does not answer, for %.0f s now: %s", self.outage_seconds, error)

    def next_delay(self, interval: float) -> float:
        """Return the seconds until the lake is to be asked again.

        That is longer while it fails, as long as it asks for, but not beyond the moment when the budget is spent.

        :param interval: seconds while it answers.
        """
        if not self._failures:
            return interval
        left = max(0.0, self._budget - self.outage_seconds) + _MARGIN_SECONDS
        return min(left, max(backoff(interval, self._failures), self.retry_at - time.time()))


def insist(ask: Callable[[], _T], budget: OutageBudget, interval: float) -> _T:
    """Ask the lake until it answers.

    :param interval: seconds, the shortest pause.
    :raises airflow_provider_lake.client.LakeError: what is no passing fault, or one beyond the budget.
    """
    while True:
        with budget.bear():
            return ask()
        time.sleep(budget.next_delay(interval))


def job_summary(job: "Job") -> JobSummary:
    """Return what a task that waited for a job says about it."""
    return {"job_id": str(job.id), "status": str(job.status), "progress": progress_counts(job) or None}
