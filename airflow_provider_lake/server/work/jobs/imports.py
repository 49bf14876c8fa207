"""Runs imports: makes data from objects that are in the bucket.

Objects are read in the order of their names, a batch at a time; the rows of a batch and the job's progress are written
in one transaction. So an interrupted import resumes exactly where it stopped.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice, takewhile
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Protocol

from sqlalchemy.orm import Session

from airflow_provider_lake.server.store.queries import jobs
from airflow_provider_lake.server.store.states import JobStatus
from airflow_provider_lake.server.work.jobs.data_import import DataImport
from airflow_provider_lake.server.work.jobs.progress import BatchResult, Candidate, Progress
from airflow_provider_lake.server.work.jobs.projection_import import ProjectionImport
from airflow_provider_lake.server.work.jobs.task import Outcome, Task

# Longer lists of a bucket, from some 300,000 objects, are written to the disk.
_IN_MEMORY_BYTES = 16 << 20


class Import(Protocol):
    """One kind of import.

    :param batch_size: how many objects are read and written together.
    :param found: number of objects below each prefix.
    :param left_out: number of objects left out, by the reason.
    """

    batch_size: int
    found: Counter[str]
    left_out: Counter[str]

    def candidates(self, after: str | None) -> Iterator[Candidate]:
        """Yield the objects to import, in the order of their names; only those after ``after``."""
        ...

    def read(self, candidates: Sequence[Candidate]) -> BatchResult[Any]:
        """Read one batch; slow, so outside of any transaction."""
        ...

    def write(self, session: Session, seen: BatchResult[Any]) -> int:
        """Add the new rows, and return the number of data that this changed."""
        ...


def run(task: Task) -> Outcome:
    """Run the import of a job's payload."""
    subject: Import = ProjectionImport(task) if "projections" in task.job.payload else DataImport(task)
    with SpooledTemporaryFile(_IN_MEMORY_BYTES, dir=str(task.lake.settings.data_dir)) as stored:
        if task.job.progress:
            progress = Progress.from_json(task.job.progress)
            batches = _batches(subject.candidates(progress.after), subject.batch_size)
        else:
            progress = _count(task, subject, stored)
            batches = _stored_batches(stored)
        for batch in batches:
            seen = subject.read(batch)
            with task.lake.database.writing() as session:
                if task.stop.is_set or not jobs.holds_lease(session, task.job.id, task.owner):
                    return Outcome(JobStatus.PENDING)
                added = subject.write(session, seen)
                progress = progress.plus(
                    len(batch), imported=added, failures=seen.failures, after=batch[-1].object_name
                )
                jobs.save_progress(session, task.job.id, progress.to_json())
    return Outcome(JobStatus.PENDING if task.stop.is_set else JobStatus.SUCCEEDED)


def _count(task: Task, subject: Import, stored: IO[bytes]) -> Progress:
    """Count the objects, and store their list, so that the bucket is listed only once."""
    total = 0
    for batch in _batches(takewhile(lambda _: not task.stop.is_set, subject.candidates(None)), subject.batch_size):
        total += len(batch)
        # The standard library's JSON: it also accepts names that are not valid Unicode.
        stored.write(json.dumps([(each.object_name, each.size) for each in batch]).encode() + b"\n")
    stored.seek(0)
    progress = Progress(total=total, found=dict(subject.found), left_out=dict(subject.left_out))
    if not task.stop.is_set:
        with task.lake.database.writing() as session:
            jobs.save_progress(session, task.job.id, progress.to_json())
            jobs.append_lines(session, task.job.id, _describe_progress(progress))
    return progress


def _describe_progress(progress: Progress) -> list[str]:
    """Return the lines of a job's log about the objects that were found."""
    found = [f"{count} objects below {prefix!r}" for prefix, count in progress.found.items()]
    return [*found, *(f"left out {count} objects: {reason}" for reason, count in progress.left_out.items())]


def _stored_batches(stored: IO[bytes]) -> Iterator[list[Candidate]]:
    for line in stored:
        yield [Candidate(object_name, size) for object_name, size in json.loads(line)]


def _batches(candidates: Iterator[Candidate], size: int) -> Iterator[list[Candidate]]:
    while batch := list(islice(candidates, size)):
        yield batch
