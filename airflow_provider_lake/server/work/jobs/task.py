"""The task that a runner passes to the function that runs a job, and the outcome that it returns."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from airflow_provider_lake.server.blobs.base import BlobStore
from airflow_provider_lake.server.context import Lake
from airflow_provider_lake.server.store.queries import datalakes
from airflow_provider_lake.server.store.states import JobStatus
from airflow_provider_lake.server.store.tables import Job


class StopSignal:
    """Signals a running job to stop; ``selectors`` can wait for it together with files."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        self.is_set = False

    def set(self) -> None:
        """Set the signal; setting it again changes nothing."""
        if not self.is_set:
            self.is_set = True
            os.write(self._writer, b"!")

    def fileno(self) -> int:
        """Return a file descriptor that is readable once the signal is set."""
        return self._reader

    def close(self) -> None:
        """Free the file descriptors."""
        os.close(self._reader)
        os.close(self._writer)


@dataclass(frozen=True, slots=True)
class Task:
    """One claimed job to run.

    :param job: its row as it was claimed.
    :param owner: the runner that holds the lease; every write about the job checks it.
    :param stop: set when the job was killed, when its lease is lost, and when the lake stops.
    """

    lake: Lake
    job: Job
    owner: UUID
    stop: StopSignal

    @property
    def store(self) -> BlobStore:
        """The objects of the job's organization."""
        with self.lake.database.reading() as session:
            organizations = datalakes.organizations_of(session, [self.job.datalake_id])
        return self.lake.stores.for_organization(organizations[self.job.datalake_id])


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task ended.

    :param status: SUCCEEDED, FAILED, or PENDING to run it again.
    :param error: why it failed.
    """

    status: JobStatus
    error: str | None = None


TaskFunction = Callable[[Task], Outcome]
