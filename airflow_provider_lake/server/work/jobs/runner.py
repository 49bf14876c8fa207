"""Runs jobs: claims waiting jobs, a few at a time, and renews their leases."""

import logging
import threading
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy.exc import SQLAlchemyError

from airflow_provider_lake.server.context import Lake
from airflow_provider_lake.server.errors import UnavailableError, is_transient
from airflow_provider_lake.server.store.database import DATABASE_UNUSABLE
from airflow_provider_lake.server.store.queries import jobs
from airflow_provider_lake.server.store.states import JobKind, JobStatus
from airflow_provider_lake.server.store.tables import Job, utc_now
from airflow_provider_lake.server.work.jobs import imports, processings
from airflow_provider_lake.server.work.jobs.task import Outcome, StopSignal, Task, TaskFunction

logger = logging.getLogger(__name__)

_WORK: Mapping[JobKind, TaskFunction] = {JobKind.IMPORT: imports.run, JobKind.PROCESSING: processings.run}

# How long a program may run after it has reported its end.
_GRACE = timedelta(seconds=10)
# Pause before a job is tried again after a transient error.
_RETRY_SECONDS = 5.0


class JobRunner:
    """Runs the jobs of a lake in ``job_slots`` threads.

    Threads are woken when a job is created, and poll every third of a lease; then leases are renewed too, and jobs of
    dead runners are recovered.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._owner = uuid4()
        self._condition = threading.Condition()
        self._wake_count = 0
        self._stopping = False
        self._running: dict[UUID, StopSignal] = {}
        names = [f"job-slot-{number}" for number in range(1, lake.settings.job_slots + 1)]
        self._threads = [threading.Thread(target=self._run_jobs, name=name) for name in names]
        self._threads.append(threading.Thread(target=self._renew_leases, name="job-leases"))

    def start(self) -> None:
        """Recover the jobs of earlier lake processes, then run waiting jobs."""
        # A database file belongs to one lake at a time, so the runners of all leases in it are dead.
        owns_database = self._lake.settings.database_url is None
        with self._lake.database.writing() as session:
            jobs.recover(session, None if owns_database else utc_now(), 2 * self._lake.settings.job_lease)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop running jobs, and return once they have ended; they go back into the queue if that is safe."""
        with self._condition:
            self._stopping = True
            for stop in self._running.values():
                stop.set()
            self._condition.notify_all()
        for thread in self._threads:
            thread.join()

    def wake(self) -> None:
        """Report that a job was created."""
        with self._condition:
            self._wake_count += 1
            self._condition.notify_all()

    def stop_job(self, job_id: UUID) -> None:
        """Stop a job if it runs here."""
        with self._condition:
            if job_id in self._running:
                self._running[job_id].set()

    def _run_jobs(self) -> None:
        while not self._stopping:
            seen = self._wake_count
            task = self._claim()
            if task is None:
                self._wait_for_wake(seen)
            else:
                self._run(task)

    def _wait_for_wake(self, seen: int) -> None:
        with self._condition:
            self._condition.wait_for(lambda: self._stopping or self._wake_count != seen)

    def _claim(self) -> Task | None:
        try:
            with self._lake.database.reading() as session:
                if not jobs.has_waiting(session):
                    return None
            with self._lake.database.writing() as session:
                job = jobs.claim(session, self._owner, utc_now() + self._lake.settings.job_lease)
        except SQLAlchemyError:
            logger.exception("cannot look for jobs; the next look is in a third of a lease")
            return None
        return None if job is None else self._make_task(job)

    def _make_task(self, job: Job) -> Task | None:
        try:
            task = Task(self._lake, job, self._owner, self._stop_signal(job))
        except OSError as error:
            logger.error("job %s waits: %s", job.id, error)  # noqa: TRY400 - the machine is out of resources; one line is enough
            self._release(job.id, Outcome(JobStatus.PENDING))
            self._wait_for_stop(_RETRY_SECONDS)
            return None
        return task

    def _stop_signal(self, job: Job) -> StopSignal:
        stop = StopSignal()
        with self._condition:
            self._running[job.id] = stop
            if self._stopping:
                stop.set()
        return stop

    def _run(self, task: Task) -> None:
        job_id = task.job.id
        try:
            outcome = _WORK[JobKind(task.job.kind)](task)
        except Exception as error:
            if _is_transient(error):
                logger.warning("job %s waits: %s", job_id, error)
                self._wait_for_stop(_RETRY_SECONDS)
                outcome = Outcome(JobStatus.PENDING)
            else:
                logger.exception("job %s ended with an unexpected error", job_id)
                outcome = Outcome(JobStatus.FAILED, "internal error; the log of the lake has the details")
        self._release(job_id, outcome)
        with self._condition:
            self._running.pop(job_id).close()

    def _release(self, job_id: UUID, outcome: Outcome) -> None:
        while not self._try_release(job_id, outcome) and not self._wait_for_stop(_RETRY_SECONDS):
            pass

    def _try_release(self, job_id: UUID, outcome: Outcome) -> bool:
        try:
            with self._lake.database.writing() as session:
                jobs.release(session, job_id, self._owner, outcome.status, outcome.error)
        except SQLAlchemyError:
            logger.exception("cannot record the end of job %s; trying again in %s s", job_id, _RETRY_SECONDS)
            return False
        return True

    def _renew_leases(self) -> None:
        third = self._lake.settings.job_lease.total_seconds() / 3
        while not self._wait_for_stop(third):
            try:
                self._renew_once()
            except SQLAlchemyError:
                logger.exception("cannot renew the leases of running jobs")
            self.wake()

    def _wait_for_stop(self, timeout: float) -> bool:
        with self._condition:
            return self._condition.wait_for(lambda: self._stopping, timeout)

    def _renew_once(self) -> None:
        now = utc_now()
        with self._condition:
            running = tuple(self._running)
        with self._lake.database.writing() as session:
            jobs.renew_leases(session, running, self._owner, now + self._lake.settings.job_lease)
            jobs.recover(session, now, 2 * self._lake.settings.job_lease)
            to_stop = jobs.find_stopped(session, running, self._owner, now - _GRACE)
        for job_id in to_stop:
            self.stop_job(job_id)


def _is_transient(error: Exception) -> bool:
    """Whether the job may succeed later: the database, storage or machine cannot serve it now."""
    is_at_limit = isinstance(error, OSError) and is_transient(error)
    return is_at_limit or isinstance(error, (*DATABASE_UNUSABLE, UnavailableError))
