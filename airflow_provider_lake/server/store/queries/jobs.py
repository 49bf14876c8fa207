"""Jobs: their states, leases and logs.

A job waits as PENDING. A runner claims it: an import is RUNNING from then on; a processing is QUEUED until the first
sign of life of its program, and RUNNING from then on. So a processing that lost its runner while QUEUED may be started
again.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from airflow_provider_lake.server.errors import ConflictError, NotFoundError
from airflow_provider_lake.server.store.states import JobKind, JobStatus
from airflow_provider_lake.server.store.tables import Datalake, Job, JobLog, Processing, Token, utc_now

MAX_LOG_LINES = 10_000
MAX_LINE_LENGTH = 8192
# High enough that a lake which is repeatedly stopped soon after its start does not fail an import.
MAX_ATTEMPTS = 10
MAX_LEASE = timedelta(hours=1)

# The log may exceed its maximum by so many lines before the oldest are deleted, all at once.
_LOG_SLACK = 1000
_DROPPED = f"(earlier lines were dropped: the log of a job keeps its last {MAX_LOG_LINES:,} lines)"

_UNFINISHED = (JobStatus.QUEUED, JobStatus.RUNNING)
_TRANSITIONS = {
    JobStatus.PENDING: {JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.KILLED},
    JobStatus.QUEUED: {JobStatus.PENDING, JobStatus.RUNNING, JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.KILLED},
    JobStatus.RUNNING: {JobStatus.PENDING, JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.KILLED},
}


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """A request that may be repeated.

    :param key: the same for the request and its repetitions.
    :param digest: of the request's path and body.
    """

    key: str
    digest: str


def get_job(session: Session, organization_id: UUID, job_id: UUID) -> Job:
    """Return one job of an organization.

    :raises NotFoundError: the organization has no such job.
    """
    statement = (
        select(Job)
        .join(Datalake, Datalake.id == Job.datalake_id)
        .where(Job.id == job_id, Datalake.organization_id == organization_id)
    )
    job = session.scalar(statement)
    if job is None:
        raise NotFoundError(f"no job with id {job_id}")
    return job


def list_newest(
    session: Session, organization_id: UUID, job_id: UUID | None, limit: int, offset: int
) -> tuple[Sequence[tuple[Job, str | None]], int]:
    """Return one page of an organization's jobs, the newest first, and how many there are.

    :param job_id: only this one.
    :return: each job with the name of the processing that it runs.
    """
    wanted = [Datalake.organization_id == organization_id, *([] if job_id is None else [Job.id == job_id])]
    jobs = select(Job).join(Datalake, Datalake.id == Job.datalake_id).where(*wanted)
    page = jobs.outerjoin(Processing, Processing.id == Job.processing_id).add_columns(Processing.name)
    page = page.order_by(Job.created_at.desc(), Job.id).limit(limit).offset(offset)
    count = session.scalar(jobs.with_only_columns(func.count())) or 0
    return [(job, name) for job, name in session.execute(page)], count


def get_payload(session: Session, job_id: UUID) -> dict[str, Any]:
    """Return the payload of a job.

    :raises NotFoundError: there is no such job.
    """
    job = session.get(Job, job_id)
    if job is None:
        raise NotFoundError(f"no job with id {job_id}")
    return job.payload


def create(
    session: Session,
    datalake_id: UUID,
    kind: JobKind,
    payload: dict[str, Any],
    *,
    processing_id: UUID | None = None,
    request: IdempotentRequest | None = None,
) -> Job:
    """Add a job that waits for a runner.

    :param request: the request that starts it; None: one without a key.
    """
    job = Job(datalake_id=datalake_id, kind=kind, payload=payload, processing_id=processing_id)
    if request is not None:
        job.request_key, job.request_digest = request.key, request.digest
    session.add(job)
    session.flush()
    return job


def find_by_key(session: Session, datalake_id: UUID, request: IdempotentRequest | None) -> Job | None:
    """Return the job that an earlier request with the same key started; None if there is none, or no key.

    :raises ConflictError: that request had another path or body.
    """
    if request is None:
        return None
    job = session.scalar(select(Job).where(Job.datalake_id == datalake_id, Job.request_key == request.key))
    # Jobs of earlier versions have no digest.
    if job is not None and job.request_digest not in {None, request.digest}:
        raise ConflictError(f"idempotency key {request.key!r} was used before, for something else: job {job.id}")
    return job


def set_status(job: Job, status: JobStatus, error: str | None = None) -> None:
    """Set a job's status; if it has that status already, nothing happens.

    :raises ConflictError: the transition is not allowed.
    """
    current = JobStatus(job.status)
    if status == current:
        return
    if status not in _TRANSITIONS.get(current, ()):
        raise ConflictError(f"job {job.id} is {current}: it cannot become {status}")
    job.status = status
    job.error = error
    if status.is_final:
        job.finished_at = utc_now()


def record_report(job: Job, status: JobStatus) -> None:
    """Record a status that the program of a processing reports.

    :raises ConflictError: the job is not a processing, was not started, or has ended with another status.
    """
    if job.kind != JobKind.PROCESSING:
        raise ConflictError(f"job {job.id} is an import: the lake itself reports its state")
    if job.status == JobStatus.PENDING:
        raise ConflictError(f"job {job.id} is PENDING: it was not started yet")
    set_status(job, status)


def record_activity(session: Session, job_id: UUID) -> None:
    """Record a sign of life of a processing's program: a QUEUED job is RUNNING from now on."""
    statement = update(Job).where(Job.id == job_id, Job.status == JobStatus.QUEUED)
    session.execute(statement.values(status=JobStatus.RUNNING))


def status_of(session: Session, job_id: UUID) -> JobStatus:
    """Return a job's state."""
    return JobStatus(session.scalars(select(Job.status).where(Job.id == job_id)).one())


def claim(session: Session, owner: UUID, lease_until: datetime) -> Job | None:
    """Claim the job that has waited longest; None if none waits."""
    waiting = select(Job).where(Job.status == JobStatus.PENDING).order_by(Job.created_at, Job.id).limit(1)
    job = session.scalar(waiting)
    if job is None:
        return None
    set_status(job, JobStatus.RUNNING if job.kind == JobKind.IMPORT else JobStatus.QUEUED)
    job.attempts += 1
    job.started_at = job.started_at or utc_now()
    job.lease_owner, job.lease_until = owner, lease_until
    return job


def has_waiting(session: Session) -> bool:
    """Whether a job waits for a runner."""
    return session.scalar(select(Job.id).where(Job.status == JobStatus.PENDING).limit(1)) is not None


def renew_leases(session: Session, job_ids: Collection[UUID], owner: UUID, lease_until: datetime) -> None:
    """Renew the leases of a runner's jobs, except those that it has lost."""
    session.execute(update(Job).where(Job.id.in_(job_ids), Job.lease_owner == owner).values(lease_until=lease_until))


def find_stopped(session: Session, job_ids: Collection[UUID], owner: UUID, ended_before: datetime) -> set[UUID]:
    """Return those of a runner's jobs that must stop: killed, lost to another runner, or reported as ended."""
    go_on = select(Job.id).where(
        Job.id.in_(job_ids),
        Job.lease_owner == owner,
        Job.status != JobStatus.KILLED,
        or_(Job.finished_at.is_(None), Job.finished_at >= ended_before),
    )
    return set(job_ids) - set(session.scalars(go_on))


def holds_lease(session: Session, job_id: UUID, owner: UUID) -> bool:
    """Whether a runner still holds the lease of an unfinished job."""
    statement = select(Job.id).where(Job.id == job_id, Job.lease_owner == owner, Job.status.in_(_UNFINISHED))
    return session.scalar(statement) is not None


def release(session: Session, job_id: UUID, owner: UUID, status: JobStatus, error: str | None) -> None:
    """Release a job with its outcome; PENDING puts it back into the queue.

    A final status that was set before, by a report or a kill, stays. Nothing happens if the lease went to another
    runner meanwhile.
    """
    job = session.scalar(select(Job).where(Job.id == job_id, Job.lease_owner == owner))
    if job is None:
        return
    if not JobStatus(job.status).is_final:
        set_status(job, status, error)
        if status == JobStatus.PENDING:
            job.attempts -= 1
    elif job.status == JobStatus.FAILED:
        job.error = job.error or error
    _clear_lease(session, job)


def recover(session: Session, expired_before: datetime | None, longest: timedelta = MAX_LEASE) -> int:
    """Recover the jobs whose runner died, and return their number.

    Imports go back into the queue, and so do processings whose program gave no sign of life; other processings fail,
    because it is unknown what they did.

    :param expired_before: leases that end before this have expired; None: all have.
    :param longest: leases that end later than ``expired_before`` plus this have expired too: the clock was set back.
    """
    lost = select(Job).where(Job.lease_owner.is_not(None))
    if expired_before is not None:
        lost = lost.where(or_(Job.lease_until < expired_before, Job.lease_until > expired_before + longest))
    jobs = session.scalars(lost).all()
    for job in jobs:
        if job.status in _UNFINISHED:
            _recover(job)
        _clear_lease(session, job)
    return len(jobs)


def _recover(job: Job) -> None:
    if job.attempts >= MAX_ATTEMPTS:
        set_status(
            job, JobStatus.FAILED, f"given up after {job.attempts} attempts: each time the lake ended while it ran"
        )
    elif job.kind == JobKind.IMPORT or job.status == JobStatus.QUEUED:
        set_status(job, JobStatus.PENDING)
    else:
        set_status(job, JobStatus.FAILED, "the lake ended while the processing ran")


def _clear_lease(session: Session, job: Job) -> None:
    job.lease_owner = job.lease_until = None
    session.execute(delete(Token).where(Token.job_id == job.id))


def save_progress(session: Session, job_id: UUID, progress: dict[str, Any]) -> None:
    """Record how far a job is, and reset its attempts: only attempts without progress count."""
    session.execute(update(Job).where(Job.id == job_id).values(progress=progress, attempts=1))


def append_lines(session: Session, job_id: UUID, lines: Sequence[str], part: str | None = None) -> None:
    """Add lines to a job's log; long lines are cut, and beyond the maximum the oldest are deleted."""
    rows = [{"job_id": job_id, "part": part, "line": _clean(line)} for line in lines[-MAX_LOG_LINES:]]
    if not rows:
        return
    session.execute(insert(JobLog), rows)
    count = session.scalar(select(func.count()).where(JobLog.job_id == job_id)) or 0
    if count > MAX_LOG_LINES + _LOG_SLACK:
        _drop_oldest(session, job_id)


def _clean(line: str) -> str:
    line = line.replace("\0", "")
    return line if len(line) <= MAX_LINE_LENGTH else line[:MAX_LINE_LENGTH] + "…"


def _drop_oldest(session: Session, job_id: UUID) -> None:
    newest_first = select(JobLog.position).where(JobLog.job_id == job_id).order_by(JobLog.position.desc())
    # One more row than the maximum stays: it is replaced by the note that lines were dropped.
    note = session.scalar(newest_first.offset(MAX_LOG_LINES).limit(1))
    session.execute(delete(JobLog).where(JobLog.job_id == job_id, JobLog.position < note))
    session.execute(update(JobLog).where(JobLog.position == note).values(line=_DROPPED, part=None))


def tail_log(session: Session, job_id: UUID, limit: int) -> tuple[Sequence[JobLog], int]:
    """Return the last lines of a job's log, oldest first, and how many lines the log has."""
    lines = select(JobLog).where(JobLog.job_id == job_id)
    tail = session.scalars(lines.order_by(JobLog.position.desc()).limit(limit)).all()
    count = session.scalar(select(func.count()).where(JobLog.job_id == job_id)) or 0
    return tail[::-1], count


def last_line(session: Session, job_id: UUID) -> str | None:
    """Return the last line of a job's log that is not empty."""
    statement = select(JobLog.line).where(JobLog.job_id == job_id, JobLog.line != "")
    return session.scalar(statement.order_by(JobLog.position.desc()).limit(1))
