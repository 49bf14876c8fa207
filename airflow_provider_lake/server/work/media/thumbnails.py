"""Makes thumbnails of uploaded images and videos, as projections of that name; imported ones get none."""

import logging
import threading
from datetime import timedelta
from io import BytesIO
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from airflow_provider_lake.server.blobs.base import BlobStore
from airflow_provider_lake.server.context import Lake
from airflow_provider_lake.server.errors import UnavailableError, is_transient
from airflow_provider_lake.server.store.queries import datalakes, projections
from airflow_provider_lake.server.store.states import DataType
from airflow_provider_lake.server.store.tables import Data
from airflow_provider_lake.server.work.readers.thumbnail_images import NoThumbnailError, Thumbnail, make_thumbnail

logger = logging.getLogger(__name__)

_FILENAME = "thumbnail.jpg"
_CONTENT_TYPE = "image/jpeg"
_POLL_SECONDS = 2.0
_RETRY_SECONDS = 10.0
# While data are being registered, no thumbnails are made.
_MIN_AGE = timedelta(seconds=1)
# Larger files are not read into memory.
_MAX_BYTES = 256 << 20


class ThumbnailWorker:
    """Makes thumbnails one by one, in one thread, while no data are being registered.

    Data without a thumbnail are found in the database, so the work resumes after a restart.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="thumbnails")

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and return once the current thumbnail is done."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        pause = _POLL_SECONDS
        while not self._stop.wait(pause):
            try:
                while not self._stop.is_set() and self._make_one():
                    pass
                pause = _POLL_SECONDS
            except (SQLAlchemyError, UnavailableError, OSError):
                logger.exception("cannot make thumbnails; trying again in %s s", _RETRY_SECONDS)
                pause = _RETRY_SECONDS

    def _make_one(self) -> bool:
        with self._lake.database.reading() as session:
            data = projections.find_without_thumbnail(session, _MIN_AGE)
            if data is None:
                return False
            organizations = datalakes.organizations_of(session, [data.datalake_id])
        store = self._lake.stores.for_organization(organizations[data.datalake_id])
        object_name = f"projections/{data.id}-{_FILENAME}"
        thumbnail = self._stored_thumbnail(data, store, object_name)
        row = None if thumbnail is None else _row(object_name, thumbnail)
        with self._lake.database.writing() as session:
            is_recorded = projections.record_thumbnail(session, data.id, row)
            is_used = is_recorded or projections.has_thumbnail(session, data.id)
        if not is_used:
            store.delete(object_name)
        return True

    def _stored_thumbnail(self, data: Data, store: BlobStore, object_name: str) -> Thumbnail | None:
        try:
            thumbnail = self._thumbnail(data, store)
            if thumbnail is not None:
                store.put(object_name, thumbnail.content, _CONTENT_TYPE)
        except (UnavailableError, OSError):
            raise
        except Exception:
            # An unexpected error of one data must not block the others.
            logger.exception("data %s gets no thumbnail", data.id)
            return None
        return thumbnail

    def _thumbnail(self, data: Data, store: BlobStore) -> Thumbnail | None:
        try:
            if data.type == DataType.VIDEO:
                return self._lake.media.make_video_thumbnail(store, data.object_name)
            if store.stat(data.object_name).size > _MAX_BYTES:
                return None
            with store.open(data.object_name) as file:
                return make_thumbnail(BytesIO(file.read()))
        except (OSError, NoThumbnailError) as error:
            if isinstance(error, OSError) and is_transient(error):
                raise
            logger.info("data %s gets no thumbnail: %s", data.id, error)
            return None
        except MemoryError:
            logger.warning("data %s gets no thumbnail: it does not fit into memory", data.id)
            return None


def _row(object_name: str, thumbnail: Thumbnail) -> dict[str, Any]:
    return {
        "name": projections.THUMBNAIL,
        "object_name": object_name,
        "filename": _FILENAME,
        "content_type": _CONTENT_TYPE,
        "file_size": len(thumbnail.content),
        "width": thumbnail.width,
        "height": thumbnail.height,
    }
