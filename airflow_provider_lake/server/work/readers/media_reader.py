"""Reads videos and decodes whole files in separate processes: a crash costs one file."""

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from multiprocessing import Pipe
from typing import Any, BinaryIO, cast

from airflow_provider_lake.media.images import ImageHeader, ImageUnsupportedError, NotAnImageError, warn_unsupported
from airflow_provider_lake.media.video import (
    NotAVideoError,
    VideoFacts,
    VideoUnsupportedError,
)
from airflow_provider_lake.server.blobs.base import BlobStore
from airflow_provider_lake.server.store.states import DataType
from airflow_provider_lake.server.store.tables import CODEC_LENGTH
from airflow_provider_lake.server.work.readers.media_process import (
    IMAGE_CHECK,
    VIDEO_CHECK,
    VIDEO_FACTS,
    VIDEO_THUMBNAIL,
)
from airflow_provider_lake.server.work.readers.thumbnail_images import NoThumbnailError, Thumbnail

logger = logging.getLogger(__name__)

# Separate limits, so that headers do not wait for files that are decoded.
_READERS = min(4, os.cpu_count() or 1)
_CHECKERS = max(1, (os.cpu_count() or 1) // 2)
_POLL_SECONDS = 0.2
# Timeouts, far beyond what a header and decoding take.
_HEADER_SECONDS = 60.0
_CHECK_SECONDS_PER_MIB = 10.0
_END_SECONDS = 5.0
_CHECKS = {DataType.IMAGE: IMAGE_CHECK, DataType.VIDEO: VIDEO_CHECK}


# The result of reading a video: its header, or the error.
VideoResult = VideoFacts | Exception


class StoppedError(Exception):
    """The caller has stopped waiting."""


def _never() -> bool:
    return False


class MediaReader:
    """Reads videos and decodes files; safe for use by several threads.

    A process is started when needed, and ends with the reader or with the lake.
    """

    def __init__(self) -> None:
        self._readers = threading.BoundedSemaphore(_READERS)
        self._checkers = threading.BoundedSemaphore(_CHECKERS)
        self._idle: list[_Process] = []

    def read_video(self, store: BlobStore, object_name: str, is_stopped: Callable[[], bool] = _never) -> VideoFacts:
        """Return the facts in the header of a video.

        :raises NotAVideoError: it is not a video.
        :raises VideoUnsupportedError: PyAV is missing.
        :raises OSError: the object cannot be read.
        :raises StoppedError: ``is_stopped`` returned True.
        """
        with self._readers:
            response, _ = self._request(VIDEO_FACTS, store, object_name, is_stopped)
        return VideoFacts(**response)

    def try_read_video(
        self, store: BlobStore, object_name: str, is_stopped: Callable[[], bool] = _never
    ) -> VideoResult:
        """Return the facts in the header of a video, or the error.

        :raises StoppedError: ``is_stopped`` returned True.
        """
        try:
            return self.read_video(store, object_name, is_stopped)
        except StoppedError:
            raise
        except Exception as error:  # noqa: BLE001 - the caller handles it
            return error

    def make_video_thumbnail(self, store: BlobStore, object_name: str) -> Thumbnail:
        """Return a thumbnail of a video's first frame.

        :raises NoThumbnailError: it cannot be decoded.
        :raises OSError: the object cannot be read.
        """
        try:
            with self._readers:
                response, content = self._request(VIDEO_THUMBNAIL, store, object_name, _never)
        except (NotAVideoError, VideoUnsupportedError) as error:
            raise NoThumbnailError(str(error)) from error
        return Thumbnail(content, response["width"], response["height"])

    def check(self, store: BlobStore, object_name: str, kind: DataType, is_stopped: Callable[[], bool]) -> None:
        """Decode a whole image or video.

        :raises NotAnImageError: the image is truncated or damaged.
        :raises NotAVideoError: it is not a video, or it is truncated or damaged.
        :raises VideoUnsupportedError: PyAV is missing.
        :raises ImageUnsupportedError: a library for the image's format is missing.
        :raises OSError: the object cannot be read.
        :raises StoppedError: ``is_stopped`` returned True.
        """
        with self._checkers:
            self._request(_CHECKS[kind], store, object_name, is_stopped)

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

    def _request(
        self, what: str, store: BlobStore, object_name: str, is_stopped: Callable[[], bool]
    ) -> tuple[dict[str, Any], bytes]:
        with ExitStack() as stack:
            path, file, size = store.path_of(object_name), None, store.stat(object_name).size
            if path is None:
                file = stack.enter_context(store.open(object_name))
            seconds = _HEADER_SECONDS + (size / (1 << 20) * _CHECK_SECONDS_PER_MIB if what in _CHECKS.values() else 0)
            request = {"what": what, "path": None if path is None else str(path), "size": size}
            process = self._acquire_process() or _Process()
            try:
                response, content = process.request(request, file, time.monotonic() + seconds, is_stopped)
            except (EOFError, BrokenPipeError, ConnectionResetError) as error:
                process.kill()
                logger.warning("the process that read %r ended: %s", object_name, error)
                raise _error(what, "the file breaks the program that reads it") from error
            except TimeoutError as error:
                process.kill()
                raise _error(what, f"the file takes more than {seconds:.0f} s to read") from error
            except BaseException:
                process.kill()
                raise
            self._idle.append(process)
        return _parse_response(what, response), content


def drop_unsupported(found: ImageHeader | VideoResult | None) -> ImageHeader | VideoResult | None:
    """Return a result; None if the library to read the file is missing, which is logged once."""
    if isinstance(found, ImageUnsupportedError | VideoUnsupportedError):
        warn_unsupported(logger, str(found), "they come in as they are, without size, metadata and thumbnail")
        return None
    return found


def media_columns(found: ImageHeader | VideoFacts | None) -> dict[str, Any]:
    """Return the columns of a data that come from its header, except metadata."""
    if found is None:
        return {}
    size = {"width": found.width, "height": found.height}
    if isinstance(found, ImageHeader):
        return size
    return size | {"duration": found.duration, "frame_rate": found.frame_rate, "codec": found.codec[:CODEC_LENGTH]}


class _Process:
    """One process that reads one file after the other."""

    def __init__(self) -> None:
        self._connection, child_end = Pipe()
        with child_end:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [
                    sys.executable,
                    "-m",
                    "airflow_provider_lake.server.work.readers.media_process",
                    str(child_end.fileno()),
                ],
                stdin=subprocess.PIPE,
                pass_fds=[child_end.fileno()],
            )

    def request(
        self, request: dict[str, Any], file: BinaryIO | None, deadline: float, is_stopped: Callable[[], bool]
    ) -> tuple[dict[str, Any], bytes]:
        """Send a request; return the response and the bytes that follow it.

        :param file: the remote object, of which the process may request ranges; None: it opens a local file.
        :raises EOFError: the process has ended; so does an ``OSError`` of the connection.
        :raises TimeoutError: no response came before the deadline.
        :raises StoppedError: ``is_stopped`` returned True.
        """
        self._connection.send_bytes(json.dumps(request).encode())
        while True:
            if is_stopped():
                raise StoppedError
            if time.monotonic() >= deadline:
                raise TimeoutError
            if not self._connection.poll(_POLL_SECONDS):
                continue
            response = json.loads(self._connection.recv_bytes())
            if "fetch" not in response:
                has_content = request["what"] == VIDEO_THUMBNAIL and "width" in response
                return response, self._connection.recv_bytes() if has_content else b""
            start, length = response["fetch"]
            source = cast("BinaryIO", file)
            source.seek(start)
            self._connection.send_bytes(source.read(length))

    def close(self) -> None:
        """End the process by closing its input; kill it if that is not enough."""
        cast("BinaryIO", self._process.stdin).close()
        self._connection.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.wait()
        with suppress(OSError):
            cast("BinaryIO", self._process.stdin).close()
        self._connection.close()


def _error(what: str, reason: str) -> ValueError:
    return NotAnImageError(reason) if what == IMAGE_CHECK else NotAVideoError(reason)


def _parse_response(what: str, response: dict[str, Any]) -> dict[str, Any]:
    """Return a response, or raise the error that it reports."""
    match response:
        case {"unsupported": message}:
            raise (ImageUnsupportedError if what == IMAGE_CHECK else VideoUnsupportedError)(message)
        case {"refused": reason}:
            raise _error(what, reason)
        case {"errno": number, "message": message}:
            raise OSError(number, message)
        case {"failed": message}:
            raise _error(what, f"it cannot be read: {message}")
    return response
