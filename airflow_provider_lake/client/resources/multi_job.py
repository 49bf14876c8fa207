"""Several jobs, awaited as one."""

from collections.abc import Iterable, Iterator, Sequence
from typing import overload
from uuid import UUID

from airflow_provider_lake.client.arguments import read_number, read_seconds
from airflow_provider_lake.client.concurrency.cancellation import pause
from airflow_provider_lake.client.errors import JobTimeoutError
from airflow_provider_lake.client.resources.jobs import Job


class MultiJob(Sequence[Job]):
    """Jobs that are parts of the same work.

    :param jobs: the jobs.
    """

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._jobs = tuple(jobs)

    @overload
    def __getitem__(self, index: int) -> Job: ...

    @overload
    def __getitem__(self, index: slice) -> "MultiJob": ...

    def __getitem__(self, index: int | slice) -> "Job | MultiJob":
        return MultiJob(self._jobs[index]) if isinstance(index, slice) else self._jobs[index]

    def __len__(self) -> int:
        return len(self._jobs)

    def __iter__(self) -> Iterator[Job]:
        return iter(self._jobs)

    def __repr__(self) -> str:
        return f"<MultiJob of {len(self)} jobs>"

    @property
    def ids(self) -> list[UUID]:
        """Ids of the jobs, in their order."""
        return [job.id for job in self]

    def wait_for_done(self, blocking_time_increment: float = 1.0, attempts: int = 20) -> "MultiJob":
        """Wait until all have ended, and return them in their new state.

        :param blocking_time_increment: seconds between two polls.
        :param attempts: number of polls.
        :raises JobFailedError: one failed.
        :raises JobKilledError: one was killed.
        :raises JobTimeoutError: one had not ended at the last poll.
        """
        jobs = list(self)
        for attempt in range(read_number("attempts", attempts)):
            if attempt:
                pause(read_seconds("blocking_time_increment", blocking_time_increment))
            jobs = [job if job.status.is_final else job.refresh() for job in jobs]
            if all(job.status.is_final for job in jobs):
                return MultiJob(job.require_success() for job in jobs)
        raise JobTimeoutError(next(job for job in jobs if not job.status.is_final))

    def kill(self) -> "MultiJob":
        """Request that the lake ends those that have not ended."""
        return MultiJob(job if job.status.is_final else job.kill() for job in self)
