"""When which job is looked at: what a poller decides, without threads or connections.

Loads the client, so it is itself loaded only where a poller is made.
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

# A lake that asks for more is asked again all the same: its clock or its proxy may be wrong.
MAX_PAUSE_SECONDS = 3600.0
# Seconds between two looks at a job that the lake does not know yet.
_MISSING_INTERVAL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class JobUpdate:
    """How a job is, as the last look at it showed.

    :param progress: counts such as ``total``, ``done`` and ``failed``; None: the lake does not say.
    """

    id: str
    status: JobStatus
    progress: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class OutageStarted:
    """The lake has begun not to answer.

    :param error: how that showed.
    """

    error: LakeError


Update = JobUpdate | OutageStarted | LakeError


@dataclass(slots=True, eq=False)
class Wait:
    """Somebody waits for jobs.

    :param poll_interval: seconds between two looks at a job, once it is old enough.
    :param outage_budget: seconds without a break that the lake may fail to answer.
    :param started: when the wait began, on the schedule's clock; it may have begun in another process.
    :param joined: when this schedule heard of it.
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
    """A job, and everybody who waits for it.

    :param wake_at: when to turn to it; polled or not, it stands in the heap under this time.
    :param poll_at: when to look at it again, never earlier.
    :param outage_since: when the lake first did not answer, of all times since it last did.
    :param body: of the last answer; the same bytes again are no update and are not decoded.
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
        """Where it is read."""
        return f"/api/v2/job/{self.id}"


@dataclass(slots=True)
class Schedule:
    """Which job is due, and what an answer means for those who wait.

    :param outbox: what is to be handed on; whoever drives the schedule empties it.
    :param paused_until: when the lake, by ``Retry-After``, wants to be asked again at the earliest.
    """

    outbox: list[tuple[Wait, Update]] = field(default_factory=list)
    paused_until: float = 0.0
    _jobs: dict[str, WatchedJob] = field(default_factory=dict)
    _heap: list[tuple[float, int, WatchedJob]] = field(default_factory=list)
    _number: Iterator[int] = field(default_factory=count)

    def add(self, wait: Wait, now: float) -> None:
        """Look at the jobs of a wait from now on; one that is looked at already is not looked at twice."""
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
        """Forget a wait, and the jobs that nobody else waits for."""
        for job_id in wait.job_ids:
            job = self._jobs.get(job_id)
            if job is not None and wait in job.waits:
                job.waits.remove(wait)
                self._drop_if_unwatched(job)

    def next_due(self) -> float | None:
        """Return when to ask for due jobs again; None: not before something is added."""
        while self._heap and not self._is_current(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: float) -> WatchedJob | None:
        """Return a job to look at now; its answer is to be told to :meth:`record_result`."""
        while (due := self.next_due()) is not None and due <= now:
            _, _, job = heapq.heappop(self._heap)
            if job.poll_at <= now < self.paused_until:
                # Not all at once when the pause ends.
                job.poll_at = self.paused_until + random.random() * _interval(job, now)
            if job.poll_at <= now:
                job.is_in_flight = True
                return job
            self._fail_exhausted_waits(job, now)
            if job.waits:
                self._push(job, _wake_at(job))
        return None

    def record_result(self, job: WatchedJob, result: Response | LakeError, now: float) -> None:
        """Take in what came of a look at a job."""
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
        """Hand on what is new about a job, and plan the next look at it unless it has ended."""
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
        """Bear with a lake that does not answer, for those whose budget lasts."""
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
            # Each wait gets one more look when its budget ends, however short the pause, unless the lake forbids it.
            last_poll_at = min(_budget_ends_at(job, wait) for wait in job.waits)
            poll_at = min(now + backoff(_interval(job, now), job.failures), last_poll_at)
            self._schedule_poll(job, max(self.paused_until, poll_at))

    def _fail_exhausted_waits(self, job: WatchedJob, now: float) -> None:
        """Tell those whose budget is spent that the lake does not answer."""
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
    """Return the seconds until the next look at a job: the least that one of those who wait wants."""
    return min(next_interval(now - wait.started, wait.poll_interval) for wait in job.waits)


def _budget_ends_at(job: WatchedJob, wait: Wait) -> float:
    return max(job.outage_since, wait.joined) + wait.outage_budget


def _wake_at(job: WatchedJob) -> float:
    """Return when to turn to a job: for its next look, or earlier to tell somebody that the budget is spent."""
    if job.error is None:
        return job.poll_at
    return min(job.poll_at, *(_budget_ends_at(job, wait) for wait in job.waits))
