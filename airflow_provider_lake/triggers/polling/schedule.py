"""Schedule of a poller: decides which job is polled when, without threads or connections.

This module imports the client, so import it only where a poller is created.
"""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from airflow_provider_lake.client.errors import (
    LakeError,
    NotFoundError,
    RateLimitedError,
    ServerError,
    TransportError,
    UnauthorizedError,
)
from airflow_provider_lake.client.resources.states import JobStatus
from airflow_provider_lake.client.transport.base import Response
from airflow_provider_lake.client.transport.session import read_response
from airflow_provider_lake.tasks.jobs import MISSING_GRACE_SECONDS, next_interval
from airflow_provider_lake.tasks.outages import backoff

# Longest ``Retry-After`` that is respected: the clock of the lake or of its proxy may be wrong.
MAX_PAUSE_SECONDS = 3600.0
# Seconds between two polls of a job that the lake does not know yet.
_MISSING_INTERVAL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class JobUpdate:
    """State of a job at its last poll.

    :param progress: counts such as ``total``, ``done`` and ``failed``; None: the lake does not report it.
    """

    id: str
    status: JobStatus
    progress: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class OutageStarted:
    """An outage of the lake has started.

    :param error: the first error of the outage.
    """

    error: LakeError


Update = JobUpdate | OutageStarted | LakeError


@dataclass(slots=True, eq=False)
class Wait:
    """One wait for one or more jobs.

    :param poll_interval: seconds between two polls of a job, once it is old enough.
    :param outage_budget: seconds that one outage of the lake may last.
    :param started: when the wait started, on the schedule's clock; it may have started in another process.
    :param joined: when the wait was added to this schedule.
    :param token_was_accepted: whether the lake has accepted the token before: a refusal after that may be a rotation.
    """

    job_ids: tuple[str, ...]
    poll_interval: float
    outage_budget: float
    started: float
    joined: float
    token_was_accepted: bool = False


@dataclass(slots=True, eq=False)
class WatchedJob:
    """A job, and the waits for it.

    :param wake_at: when to process the job next, whether or not it is polled then; its key in the heap.
    :param poll_at: earliest time of the next poll.
    :param outage_since: time of the first failed poll since the last response.
    :param body: body of the last response; a response with the same bytes is not an update and is not decoded.
    """

    id: str
    wake_at: float
    poll_at: float
    outage_since: float = 0.0
    waits: list[Wait] = field(default_factory=list)
    body: bytes = b""
    update: JobUpdate | None = None
    failures: int = 0
    error: LakeError | None = None
    is_in_flight: bool = False

    @property
    def path(self) -> str:
        """URL path from which the job is read."""
        return f"/api/v2/job/{self.id}"


@dataclass(slots=True)
class Schedule:
    """Decides which job is due, and what a response means for the waits.

    :param outbox: updates to deliver; the caller that drives the schedule empties it.
    :param paused_until: earliest time of the next poll, by the lake's ``Retry-After``.
    """

    outbox: list[tuple[Wait, Update]] = field(default_factory=list)
    paused_until: float = 0.0
    _jobs: dict[str, WatchedJob] = field(default_factory=dict)
    _heap: list[tuple[float, int, WatchedJob]] = field(default_factory=list)
    _number: Iterator[int] = field(default_factory=count)

    def add(self, wait: Wait, now: float) -> None:
        """Poll the jobs of a wait from now on; a job that is already polled for another wait is shared with it."""
        for job_id in wait.job_ids:
            job = self._jobs.get(job_id)
            first = now + random.random() * next_interval(now - wait.started, wait.poll_interval)
            if job is None:
                job = self._jobs[job_id] = WatchedJob(job_id, wake_at=first, poll_at=first)
                self._push(job, first)
            elif not job.is_in_flight and not job.failures and first < job.poll_at:
                job.poll_at = first
                self._push(job, first)
            job.waits.append(wait)
            if job.update is not None:
                self.outbox.append((wait, job.update))

    def remove(self, wait: Wait) -> None:
        """Remove a wait, and the jobs that have no other wait."""
        for job_id in wait.job_ids:
            job = self._jobs.get(job_id)
            if job is not None and wait in job.waits:
                job.waits.remove(wait)
                self._drop_if_unwatched(job)

    def next_due(self) -> float | None:
        """Return when the next job is due; None: not before a wait is added."""
        while self._heap and not self._is_current(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: float) -> WatchedJob | None:
        """Return a job to poll now; pass the response to :meth:`record_result`."""
        while (due := self.next_due()) is not None and due <= now:
            _, _, job = heapq.heappop(self._heap)
            if job.poll_at <= now < self.paused_until:
                # Spread the polls, so that they are not all sent when the pause ends.
                job.poll_at = self.paused_until + random.random() * _interval(job, now)
            if job.poll_at <= now:
                job.is_in_flight = True
                return job
            self._fail_exhausted_waits(job, now)
            if job.waits:
                self._push(job, _wake_at(job))
        return None

    def record_result(self, job: WatchedJob, result: Response | LakeError, now: float) -> None:
        """Record the result of a poll of a job."""
        job.is_in_flight = False
        if self._jobs.get(job.id) is not job:
            return
        try:
            self._record_response(job, result, now)
        except (TransportError, ServerError, RateLimitedError) as error:
            self._record_failure(job, error, now)
        except UnauthorizedError as error:
            if job.update is not None or any(wait.token_was_accepted for wait in job.waits):
                self._record_failure(job, error, now)
            else:
                self._finish(job, error)
        except NotFoundError as error:
            if now - max(wait.joined for wait in job.waits) < MISSING_GRACE_SECONDS:
                self._schedule_poll(job, now + _MISSING_INTERVAL_SECONDS)
            else:
                self._finish(job, error)
        except LakeError as error:
            self._finish(job, error)

    def _record_response(self, job: WatchedJob, result: Response | LakeError, now: float) -> None:
        """Deliver a changed state of a job, and schedule its next poll unless it has ended."""
        if isinstance(result, LakeError):
            raise result
        if job.update is None or result.body != job.body or not result.is_success:
            update = _read_update(job, result)
            job.body = result.body
            if update != job.update:
                job.update = update
                self.outbox += [(wait, update) for wait in job.waits]
            if update.status.is_final:
                del self._jobs[job.id]
                return
        job.failures, job.error = 0, None
        self._schedule_poll(job, now + random.uniform(0.9, 1.0) * _interval(job, now))

    def _record_failure(self, job: WatchedJob, error: LakeError, now: float) -> None:
        """Tolerate an outage for the waits whose outage budget lasts."""
        if not job.failures:
            job.outage_since = now
        job.failures, job.error = job.failures + 1, error
        retry_after = getattr(error, "retry_after", None)
        if retry_after is not None:
            self.paused_until = max(self.paused_until, now + min(retry_after, MAX_PAUSE_SECONDS))
        self._fail_exhausted_waits(job, now)
        if job.failures == 1:
            self.outbox += [(wait, OutageStarted(error)) for wait in job.waits]
        if job.waits:
            # Each wait gets one more poll when its budget ends, unless ``Retry-After`` is later.
            last_poll_at = min(_budget_ends_at(job, wait) for wait in job.waits)
            poll_at = min(now + backoff(_interval(job, now), job.failures), last_poll_at)
            self._schedule_poll(job, max(self.paused_until, poll_at))

    def _fail_exhausted_waits(self, job: WatchedJob, now: float) -> None:
        """Deliver the error to the waits whose outage budget is exhausted."""
        if job.error is None:
            return
        exhausted = [wait for wait in job.waits if _budget_ends_at(job, wait) <= now]
        for wait in exhausted:
            self.outbox.append((wait, job.error))
            job.waits.remove(wait)
        self._drop_if_unwatched(job)

    def _finish(self, job: WatchedJob, result: LakeError) -> None:
        self.outbox += [(wait, result) for wait in job.waits]
        job.waits.clear()
        self._drop_if_unwatched(job)

    def _drop_if_unwatched(self, job: WatchedJob) -> None:
        if not job.waits and self._jobs.get(job.id) is job:
            del self._jobs[job.id]

    def _schedule_poll(self, job: WatchedJob, poll_at: float) -> None:
        job.poll_at = poll_at
        self._push(job, _wake_at(job))

    def _push(self, job: WatchedJob, wake_at: float) -> None:
        job.wake_at = wake_at
        heapq.heappush(self._heap, (wake_at, next(self._number), job))

    def _is_current(self, entry: tuple[float, int, WatchedJob]) -> bool:
        due, _, job = entry
        return job.wake_at == due and not job.is_in_flight and self._jobs.get(job.id) is job


def _read_update(job: WatchedJob, response: Response) -> JobUpdate:
    json = read_response("GET", job.path, response)
    if not isinstance(json, dict) or not isinstance(json.get("status"), str):
        raise TransportError(f"GET {job.path} was record_result by something that is no job: is there a lake?")
    return JobUpdate(job.id, JobStatus(json["status"]), json.get("progress"))


def _interval(job: WatchedJob, now: float) -> float:
    """Return the seconds until the next poll of a job: the shortest interval of its waits."""
    return min(next_interval(now - wait.started, wait.poll_interval) for wait in job.waits)


def _budget_ends_at(job: WatchedJob, wait: Wait) -> float:
    return max(job.outage_since, wait.joined) + wait.outage_budget


def _wake_at(job: WatchedJob) -> float:
    """Return when to process a job: at its next poll, or earlier if the outage budget of a wait ends before."""
    if job.error is None:
        return job.poll_at
    return min(job.poll_at, *(_budget_ends_at(job, wait) for wait in job.waits))
