"""What a lake does beside answering requests: one process does it, whichever process it is asked in."""

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
    """Work that goes on beside the requests."""

    def start(self) -> None:
        """Start to work."""
        ...

    def stop(self) -> None:
        """Stop, and return once what was begun is done or given back."""
        ...

    def data_added(self) -> None:
        """Say that there are new data to look at."""
        ...

    def job_added(self) -> None:
        """Say that there is a new job to run."""
        ...

    def job_killed(self, job_id: UUID) -> None:
        """Say that a job was killed: if it runs, it stops."""
        ...


class LocalBackground:
    """The work, in threads of this process."""

    def __init__(self, lake: Lake) -> None:
        self._runner = JobRunner(lake)
        self._media = MediaWorker(lake)
        self._thumbnails = ThumbnailWorker(lake)

    def start(self) -> None:
        """Start to work."""
        self._runner.start()
        self._media.start()
        self._thumbnails.start()

    def stop(self) -> None:
        """Stop, and return once what was begun is done or given back."""
        self._runner.stop()
        self._media.stop()
        self._thumbnails.stop()

    def data_added(self) -> None:
        """Say that there are new data to look at."""
        self._media.wake()

    def job_added(self) -> None:
        """Say that there is a new job to run."""
        self._runner.wake()

    def job_killed(self, job_id: UUID) -> None:
        """Say that a job was killed: if it runs, it stops."""
        self._runner.stop_job(job_id)


class RemoteBackground:
    """The work, where another process does it.

    What cannot be said to it, because it is ending, is found in the database by the next lake.

    :param connection: to that process.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # A connection is for one thread at a time.
        self._lock = threading.Lock()

    def start(self) -> None:
        """Say that this process is about to answer requests."""
        self._send({"what": "ready"})

    def stop(self) -> None:
        """Do nothing: the work goes on."""

    def data_added(self) -> None:
        """Say that there are new data to look at."""
        self._send({"what": "data added"})

    def job_added(self) -> None:
        """Say that there is a new job to run."""
        self._send({"what": "job added"})

    def job_killed(self, job_id: UUID) -> None:
        """Say that a job was killed: if it runs, it stops."""
        self._send({"what": "job killed", "job": str(job_id)})

    def _send(self, message: Message) -> None:
        try:
            with self._lock:
                self._connection.send(message)
        except OSError as error:
            logger.warning("the first process of the lake cannot be told %r: %s", message["what"], error)


def dispatch(background: Background, message: Message) -> None:
    """Tell a background what was said to that of another process."""
    match message:
        case {"what": "data added"}:
            background.data_added()
        case {"what": "job added"}:
            background.job_added()
        case {"what": "job killed", "job": job_id}:
            background.job_killed(UUID(job_id))
