"""Runs imports: makes data of objects that lie in the bucket.

Objects are taken in the order of their names, a batch at a time; the rows of a batch and the job's progress are written
together. So an import that was interrupted goes on exactly where it stopped.
"""

from collections.abc import Iterator, Sequence
from itertools import islice, takewhile
from typing import Any, Protocol

from sqlalchemy.orm import Session

from airflow_provider_lake.server.queries import jobs
from airflow_provider_lake.server.states import JobStatus
from airflow_provider_lake.server.work.data_import import DataImport
from airflow_provider_lake.server.work.progress import Progress, Seen
from airflow_provider_lake.server.work.projection_import import ProjectionImport
from airflow_provider_lake.server.work.task import Outcome, Task

_BATCH = 200


class Import(Protocol):
    """One form of import."""

    def names(self, after: str | None) -> Iterator[str]:
        """Yield in order the names of what is to be imported, from behind ``after``."""
        ...

    def read(self, names: Sequence[str]) -> Seen[Any]:
        """Look at one batch; slow, so outside of any transaction."""
        ...

    def write(self, session: Session, seen: Seen[Any]) -> int:
        """Add what is new, and return how many that were."""
        ...


def run(task: Task) -> Outcome:
    """Import what the job's payload asks for."""
    subject: Import = ProjectionImport(task) if "projections" in task.job.payload else DataImport(task)
    progress = Progress.from_json(task.job.progress) if task.job.progress else _count(task, subject)
    for names in _batches(subject.names(progress.after)):
        seen = subject.read(names)
        with task.lake.database.writing() as session:
            if task.stop.is_set or not jobs.is_held(session, task.job.id, task.owner):
                return Outcome(JobStatus.PENDING)
            added = subject.write(session, seen)
            progress = progress.plus(len(names), imported=added, failures=seen.failures, after=names[-1])
            jobs.save_progress(session, task.job.id, progress.to_json())
    return Outcome(JobStatus.PENDING if task.stop.is_set else JobStatus.SUCCEEDED)


def _count(task: Task, subject: Import) -> Progress:
    names = takewhile(lambda _: not task.stop.is_set, subject.names(None))
    progress = Progress(total=sum(1 for _ in names))
    if not task.stop.is_set:
        with task.lake.database.writing() as session:
            jobs.save_progress(session, task.job.id, progress.to_json())
    return progress


def _batches(names: Iterator[str]) -> Iterator[list[str]]:
    while batch := list(islice(names, _BATCH)):
        yield batch
