"""Reads the files of registered data: size, dimensions, and whether they are valid."""

import logging
import threading

from sqlalchemy.exc import SQLAlchemyError

from airflow_provider_lake.server.blobs.base import BlobStore
from airflow_provider_lake.server.context import Lake
from airflow_provider_lake.server.errors import UnavailableError
from airflow_provider_lake.server.store.queries import data as data_queries
from airflow_provider_lake.server.store.queries import datalakes
from airflow_provider_lake.server.store.queries.data import MediaResult, Pending
from airflow_provider_lake.server.store.states import DataType, UploadStatus
from airflow_provider_lake.server.work.readers.image_process import ImageResult
from airflow_provider_lake.server.work.readers.media_reader import VideoResult, drop_unsupported, media_columns
from airflow_provider_lake.server.work.readers.parallel import read_all
from airflow_provider_lake.server.work.readers.unreadable import EMPTY, failure_reason

logger = logging.getLogger(__name__)

_BATCH = 200
_GATHER_SECONDS = 0.1
_RETRY_SECONDS = 5.0


class MediaWorker:
    """Moves data from PENDING to DONE or ERROR, in one thread.

    Pending data are found in the database, so the work resumes after a restart.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._condition = threading.Condition()
        # There may be pending data of an earlier lake process.
        self._has_work = True
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="media")

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and return once the current batch is done."""
        with self._condition:
            self._stopping = True
            self._condition.notify()
        self._thread.join()

    def wake(self) -> None:
        """Report that there are new data."""
        with self._condition:
            self._has_work = True
            self._condition.notify()

    def _run(self) -> None:
        while self._wait_for_work():
            try:
                # Continue at once only while batches are full; else gather new data first.
                while not self._stopping and self._read_batch() == _BATCH:
                    pass
            except (SQLAlchemyError, UnavailableError):
                logger.exception("cannot look at new data; trying again in %s s", _RETRY_SECONDS)
                with self._condition:
                    self._has_work = True
                    self._condition.wait_for(lambda: self._stopping, _RETRY_SECONDS)

    def _wait_for_work(self) -> bool:
        with self._condition:
            self._condition.wait_for(lambda: self._has_work or self._stopping)
            # Gather data that arrive in quick succession: one transaction for all of them.
            self._condition.wait_for(lambda: self._stopping, _GATHER_SECONDS)
            self._has_work = False
            return not self._stopping

    def _read_batch(self) -> int:
        """Read the next batch of data, and return how many there were."""
        with self._lake.database.reading() as session:
            pending = data_queries.list_pending(session, _BATCH)
            organizations = datalakes.organizations_of(session, {data.datalake_id for data in pending})
        if not pending:
            return 0
        stored = [(data, self._lake.stores.for_organization(organizations[data.datalake_id])) for data in pending]
        images = [place for place, (data, _) in enumerate(stored) if data.type == DataType.IMAGE]
        read = self._lake.images.read([(stored[place][1], stored[place][0].object_name) for place in images])
        found = dict(zip(images, read, strict=True))
        findings = read_all(lambda place: self._read_one(*stored[place], found.get(place)), range(len(stored)))
        with self._lake.database.writing() as session:
            data_queries.record_results(session, findings)
        return len(pending)

    def _read_one(self, data: Pending, store: BlobStore, image: ImageResult | None) -> MediaResult:
        """Return the result for one data.

        :param image: header of the image or the error; None: it is a video.
        """
        size = None
        found: ImageResult | VideoResult | None = image
        try:
            size = store.stat(data.object_name).size
        except Exception as error:  # noqa: BLE001 - `failure_reason` distinguishes them
            found = error
        if size == 0:
            return MediaResult(data.position, UploadStatus.ERROR, 0, error=EMPTY)
        if found is None:
            found = self._lake.media.try_read_video(store, data.object_name)
        found = drop_unsupported(found)
        if isinstance(found, Exception):
            reason = failure_reason(found, data.object_name, missing="the object is gone")
            return MediaResult(data.position, UploadStatus.ERROR, size, error=reason)
        return MediaResult(data.position, UploadStatus.DONE, size, **media_columns(found))
