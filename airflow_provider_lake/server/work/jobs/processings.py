"""Runs processings: starts a job's program, logs its output and records its end."""

import logging
import os
import secrets
import select
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from airflow_provider_lake.server.errors import NotFoundError, UnavailableError
from airflow_provider_lake.server.store.database import DATABASE_UNUSABLE
from airflow_provider_lake.server.store.queries import jobs, processings, tokens
from airflow_provider_lake.server.store.states import JobStatus
from airflow_provider_lake.server.work.jobs.program import Program, environment
from airflow_provider_lake.server.work.jobs.task import Outcome, Task

# Pause between attempts while the database cannot be used.
_RETRY_SECONDS = 2.0

logger = logging.getLogger(__name__)


def run(task: Task) -> Outcome:
    """Run the program of a processing job.

    The program may report its end itself; otherwise exit code 0 is success. If the lake stops while it runs, the
    job returns to the queue if the program has shown no sign of life; else it fails, because its effects are unknown.
    """
    try:
        given = _prepare(task)
        if given is None:
            return Outcome(JobStatus.PENDING)
        folder = tempfile.TemporaryDirectory(prefix="lake-job-", ignore_cleanup_errors=True)
    except NotFoundError as error:
        return Outcome(JobStatus.FAILED, error.message)
    except OSError as error:
        raise UnavailableError(f"no folder can be made for its program: {error.strerror}") from error
    with folder:
        try:
            program = Program(task.job.payload["command"], environment(os.environ, given), Path(folder.name))
        except OSError as error:
            return Outcome(JobStatus.FAILED, f"the program cannot be started: {error}")
        code = program.run(task.stop, lambda lines: _log(task, lines))
    while True:
        try:
            return _outcome(task, code)
        except DATABASE_UNUSABLE as error:
            if task.stop.is_set:
                return Outcome(JobStatus.FAILED, "the lake could not use its database when the processing ended")
            logger.warning("the end of job %s waits: %s", task.job.id, error)
            select.select([task.stop], [], [], _RETRY_SECONDS)


def _prepare(task: Task) -> dict[str, str] | None:
    """Create the job's token, and return the program's environment variables; None if the job was killed."""
    job, token = task.job, secrets.token_urlsafe(32)
    with task.lake.database.writing() as session:
        if not jobs.holds_lease(session, job.id, task.owner):
            return None
        user_id = UUID(job.payload["user_id"])
        organization_id = processings.renew_token(session, job.id, user_id, job.datalake_id, tokens.digest_of(token))
    return {
        "api_token": token,
        "organization_id": str(organization_id),
        "host": str(task.lake.address.url),
        "job_id": str(job.id),
    }


def _log(task: Task, lines: Sequence[str]) -> bool:
    try:
        with task.lake.database.writing() as session:
            jobs.record_activity(session, task.job.id)
            jobs.append_lines(session, task.job.id, lines)
    except DATABASE_UNUSABLE as error:
        # A full disk or a lost database must not end the program.
        logger.warning("the log of job %s waits: %s", task.job.id, error)
        return False
    return True


def _outcome(task: Task, code: int) -> Outcome:
    with task.lake.database.reading() as session:
        status, last_line = jobs.status_of(session, task.job.id), jobs.last_line(session, task.job.id)
    if task.stop.is_set and status == JobStatus.QUEUED:
        return Outcome(JobStatus.PENDING)
    if task.stop.is_set and status == JobStatus.RUNNING:
        return Outcome(JobStatus.FAILED, "the lake stopped while the processing ran")
    if code == 0 and status != JobStatus.FAILED:
        return Outcome(JobStatus.SUCCEEDED)
    end = f"exit code {code}" if code >= 0 else f"ended by {signal.Signals(-code).name}"
    reason = "reported as failed" if status == JobStatus.FAILED else end
    return Outcome(JobStatus.FAILED, f"{reason}: {last_line}" if last_line else reason)
