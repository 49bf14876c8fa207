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
from airflow_provider_lake.server.work.progress import Candidate, Progress, Seen
from airflow_provider_lake.server.work.projection_import import ProjectionImport
from airflow_provider_lake.server.work.task import Outcome, Task

_BATCH = 500
# Some 20 MB.
_KEPT = 100_000


class Import(Protocol):
    """One form of import."""

    def candidates(self, after: str | None) -> Iterator[Candidate]:
        """Yield what is to be imported in the order of its names, from behind ``after``."""
        ...

    def read(self, candidates: Sequence[Candidate]) -> Seen[Any]:
        """Look at one batch; slow, so outside of any transaction."""
        ...

    def write(self, session: Session, seen: Seen[Any]) -> int:
        """Add what is new, and return how many that were."""
        ...


def run(task: Task) -> Outcome:
    """Import what the job's payload asks for."""
    subject: Import = ProjectionImport(task) if "projections" in task.job.payload else DataImport(task)
    counted: list[Candidate] = []
    if task.job.progress:
        progress = Progress.from_json(task.job.progress)
    else:
        progress, counted = _count(task, subject)
    for batch in _batches(_candidates(subject, progress, counted)):
        seen = subject.read(batch)
        with task.lake.database.writing() as session:
            if task.stop.is_set or not jobs.is_held(session, task.job.id, task.owner):
                return Outcome(JobStatus.PENDING)
            added = subject.write(session, seen)
            progress = progress.plus(len(batch), imported=added, failures=seen.failures, after=batch[-1].object_name)
            jobs.save_progress(session, task.job.id, progress.to_json())
    return Outcome(JobStatus.PENDING if task.stop.is_set else JobStatus.SUCCEEDED)


def _count(task: Task, subject: Import) -> tuple[Progress, list[Candidate]]:
    """Count the objects, and keep the first of them, so that most buckets are listed only once."""
    candidates = takewhile(lambda _: not task.stop.is_set, subject.candidates(None))
    kept = list(islice(candidates, _KEPT))
    progress = Progress(total=len(kept) + sum(1 for _ in candidates))
    if not task.stop.is_set:
        with task.lake.database.writing() as session:
            jobs.save_progress(session, task.job.id, progress.to_json())
    return progress, kept


def _candidates(subject: Import, progress: Progress, counted: Sequence[Candidate]) -> Iterator[Candidate]:
    yield from counted
    if not counted or progress.total > len(counted):
        yield from subject.candidates(counted[-1].object_name if counted else progress.after)


def _batches(candidates: Iterator[Candidate]) -> Iterator[list[Candidate]]:
    while batch := list(islice(candidates, _BATCH)):
        yield batch
