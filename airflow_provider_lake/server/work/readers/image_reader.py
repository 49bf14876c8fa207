"""Reads the headers of many images: local files by separate processes, remote objects by threads."""

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

from airflow_provider_lake.media.images import read_header
from airflow_provider_lake.server.blobs.base import BlobStore
from airflow_provider_lake.server.errors import BadRequestError
from airflow_provider_lake.server.work.readers.image_process import ImageResult, from_json, read_file
from airflow_provider_lake.server.work.readers.parallel import read_all

# Fewer images are read faster than a process gets the request.
_MIN_IMAGES = 16
# Number of paths in one request to a process.
_BATCH = 256
_PROCESSES = min(4, os.cpu_count() or 1)
_END_SECONDS = 5.0

logger = logging.getLogger(__name__)


class ImageReader:
    """Reads images; safe for use by several threads.

    In threads of the lake, parsing headers would block requests by the interpreter lock. A process is started when
    needed, and ends with the reader or with the lake, however that ends.
    """

    def __init__(self) -> None:
        self._slots = threading.BoundedSemaphore(_PROCESSES)
        self._idle: list[_Process] = []

    def read(self, images: Sequence[tuple[BlobStore, str]]) -> list[ImageResult]:
        """Return the header of each image or the error, in the order of ``images``: pairs of store and object name."""
        if len(images) < _MIN_IMAGES:
            return read_all(_read_locally, images)
        paths = [path for image in images if (path := _path_of(image)) is not None]
        if len(paths) < len(images):
            return read_all(_read_locally, images)
        batches = [paths[start : start + _BATCH] for start in range(0, len(paths), _BATCH)]
        return [found for batch in read_all(self._read_files, batches) for found in batch]

    def close(self) -> None:
        """Stop the processes; all reads must have ended before."""
        while self._idle:
            self._idle.pop().close()

    def _acquire_process(self) -> "_Process | None":
        """Return an idle process; None if there is none."""
        try:
            return self._idle.pop()
        except IndexError:  # a check before would race with other threads
            return None

    def _read_files(self, paths: Sequence[Path]) -> list[ImageResult]:
        with self._slots:
            try:
                process = self._acquire_process() or _Process()
            except OSError as error:
                logger.warning("no process can be started that reads images: %s", error)
                return [read_file(path) for path in paths]
            try:
                found = process.read(paths)
            except (OSError, ValueError) as error:
                process.close()
                if len(paths) == 1:
                    return [RuntimeError(f"the process that read it ended: {error}")]
            else:
                self._idle.append(process)
                return found
        # One of the files crashed the process: read each by itself, so that only that one fails.
        return [found for path in paths for found in self._read_files([path])]


class _Process:
    """One process that reads images, one batch after the other."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "airflow_provider_lake.server.work.readers.image_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._input = cast("IO[str]", self._process.stdin)
        self._output = cast("IO[str]", self._process.stdout)

    def read(self, paths: Sequence[Path]) -> list[ImageResult]:
        """Return the header of each file, or the error.

        :raises OSError: the process has ended.
        :raises ValueError: it ended in the middle of its response.
        """
        # Names of files need not be text; this JSON preserves even those.
        self._input.write(json.dumps([str(path) for path in paths]) + "\n")
        self._input.flush()
        return [from_json(found) for found in json.loads(self._output.readline())]

    def close(self) -> None:
        """End the process by closing its input; kill it if that is not enough."""
        with suppress(OSError):  # it has ended with unread input
            self._input.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()


def _path_of(image: tuple[BlobStore, str]) -> Path | None:
    store, object_name = image
    try:
        return store.path_of(object_name)
    except BadRequestError:
        return None  # an invalid name: opening the object will raise the error


def _read_locally(image: tuple[BlobStore, str]) -> ImageResult:
    store, object_name = image
    try:
        with store.open(object_name) as file:
            return read_header(file)
    except Exception as error:  # noqa: BLE001 - the caller handles it
        return error
