"""The lake's background work: only the first process does it; the others send it messages."""

import logging
import threading
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Protocol
from uuid import UUID

from airflow_provider_lake.server.context import Lake
from airflow_provider_lake.server.work.jobs.runner import JobRunner
from airflow_provider_lake.server.work.media.inspection import MediaWorker
from airflow_provider_lake.server.work.media.thumbnails import ThumbnailWorker

logger = logging.getLogger(__name__)

Message = Mapping[str, str]


class Background(Protocol):
    """Background work, as the routes see it."""

    def start(self) -> None:
        """Start the work."""
        ...

    def stop(self) -> None:
        """Stop, and return once work in progress is done or released."""
        ...

    def data_added(self) -> None:
        """Report that there are new data to read."""
        ...

    def job_added(self) -> None:
        """Report that there is a new job to run."""
        ...

    def job_killed(self, job_id: UUID) -> None:
        """Report that a job was killed; if it runs, it stops."""
        ...


class LocalBackground:
    """Background work in threads of this process."""

    def __init__(self, lake: Lake) -> None:
        self._runner = JobRunner(lake)
        self._media = MediaWorker(lake)
        self._thumbnails = ThumbnailWorker(lake)

    def start(self) -> None:
        """Start the work."""
        self._runner.start()
        self._media.start()
        self._thumbnails.start()

    def stop(self) -> None:
        """Stop, and return once work in progress is done or released."""
        self._runner.stop()
        self._media.stop()
        self._thumbnails.stop()

    def data_added(self) -> None:
        """Report that there are new data to read."""
        self._media.wake()

    def job_added(self) -> None:
        """Report that there is a new job to run."""
        self._runner.wake()

    def job_killed(self, job_id: UUID) -> None:
        """Report that a job was killed; if it runs, it stops."""
        self._runner.stop_job(job_id)


class RemoteBackground:
    """Background work in another process, which gets messages.

    If that process is stopping and a message is lost, the next one finds the work in the database.

    :param connection: to that process.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # Only one thread may use a connection at a time.
        self._lock = threading.Lock()

    def start(self) -> None:
        """Report that this process is about to serve requests."""
        self._send({"what": "ready"})

    def stop(self) -> None:
        """Do nothing: the other process continues."""

    def data_added(self) -> None:
        """Report that there are new data to read."""
        self._send({"what": "data added"})

    def job_added(self) -> None:
        """Report that there is a new job to run."""
        self._send({"what": "job added"})

    def job_killed(self, job_id: UUID) -> None:
        """Report that a job was killed; if it runs, it stops."""
        self._send({"what": "job killed", "job": str(job_id)})

    def _send(self, message: Message) -> None:
        try:
            with self._lock:
                self._connection.send(message)
        except OSError as error:
            logger.warning("the first process of the lake cannot be told %r: %s", message["what"], error)


def dispatch(background: Background, message: Message) -> None:
    """Pass a message from a worker process to the background work."""
    match message:
        case {"what": "data added"}:
            background.data_added()
        case {"what": "job added"}:
            background.job_added()
        case {"what": "job killed", "job": job_id}:
            background.job_killed(UUID(job_id))
