"""Reads videos, and decodes whole files, by processes of their own: what breaks such a process costs one file."""

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

# Headers do not wait for files that are decoded.
_READERS = min(4, os.cpu_count() or 1)
_CHECKERS = max(1, (os.cpu_count() or 1) // 2)
_POLL_SECONDS = 0.2
# Far beyond what a header takes, and what decoding takes.
_HEADER_SECONDS = 60.0
_CHECK_SECONDS_PER_MIB = 10.0
_END_SECONDS = 5.0
_CHECKS = {DataType.IMAGE: IMAGE_CHECK, DataType.VIDEO: VIDEO_CHECK}


# What was found: facts, or the error that the reading raised.
VideoResult = VideoFacts | Exception


class StoppedError(Exception):
    """The caller does not wait any longer."""


def _never() -> bool:
    return False


class MediaReader:
    """Reads for all who need it; may be used by several threads at a time.

    A process is started when there is something to read, and ends with the reader or with the lake.
    """

    def __init__(self) -> None:
        self._readers = threading.BoundedSemaphore(_READERS)
        self._checkers = threading.BoundedSemaphore(_CHECKERS)
        self._idle: list[_Process] = []

    def read_video(self, store: BlobStore, object_name: str, is_stopped: Callable[[], bool] = _never) -> VideoFacts:
        """Return what the header of a video tells.

        :raises NotAVideoError: it is none.
        :raises VideoUnsupportedError: PyAV is missing.
        :raises OSError: the object cannot be read.
        :raises StoppedError: ``is_stopped`` says so.
        """
        with self._readers:
            response, _ = self._request(VIDEO_FACTS, store, object_name, is_stopped)
        return VideoFacts(**response)

    def try_read_video(
        self, store: BlobStore, object_name: str, is_stopped: Callable[[], bool] = _never
    ) -> VideoResult:
        """Return what the header of a video tells, or the error that its reading raised.

        :raises StoppedError: ``is_stopped`` says so.
        """
        try:
            return self.read_video(store, object_name, is_stopped)
        except StoppedError:
            raise
        except Exception as error:  # noqa: BLE001 - raised again by the caller
            return error

    def make_video_thumbnail(self, store: BlobStore, object_name: str) -> Thumbnail:
        """Return a thumbnail of a video's first picture.

        :raises NoThumbnailError: it cannot be shown.
        :raises OSError: the object cannot be read.
        """
        try:
            with self._readers:
                response, content = self._request(VIDEO_THUMBNAIL, store, object_name, _never)
        except (NotAVideoError, VideoUnsupportedError) as error:
            raise NoThumbnailError(str(error)) from error
        return Thumbnail(content, response["width"], response["height"])

    def check(self, store: BlobStore, object_name: str, kind: DataType, is_stopped: Callable[[], bool]) -> None:
        """Decode all of an image or a video.

        :raises NotAnImageError: the image is cut or broken.
        :raises NotAVideoError: it is no video, or it is cut or broken.
        :raises VideoUnsupportedError: PyAV is missing.
        :raises ImageUnsupportedError: something else is.
        :raises OSError: the object cannot be read.
        :raises StoppedError: ``is_stopped`` says so.
        """
        with self._checkers:
            self._request(_CHECKS[kind], store, object_name, is_stopped)

    def close(self) -> None:
        """End the processes; whoever reads has ended before."""
        while self._idle:
            self._idle.pop().close()

    def _acquire_process(self) -> "_Process | None":
        """Return a process that has nothing to do; None: there is none."""
        try:
            return self._idle.pop()
        except IndexError:  # looked for first, another thread could take the last one meanwhile
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
    """Return what was found; None where nobody can look into the file here, which the log then says once."""
    if isinstance(found, ImageUnsupportedError | VideoUnsupportedError):
        warn_unsupported(logger, str(found), "they come in as they are, without size, metadata and thumbnail")
        return None
    return found


def media_columns(found: ImageHeader | VideoFacts | None) -> dict[str, Any]:
    """Return what is known of a data by the columns that keep it; metadata are not among them."""
    if found is None:
        return {}
    size = {"width": found.width, "height": found.height}
    if isinstance(found, ImageHeader):
        return size
    return size | {"duration": found.duration, "frame_rate": found.frame_rate, "codec": found.codec[:CODEC_LENGTH]}


class _Process:
    """One process that reads, one file after the other."""

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
        """Return what is answered, and the bytes that come with it.

        :param file: whose ranges it may ask for.
        :raises EOFError: the process has ended; so does an ``OSError`` of the connection.
        :raises TimeoutError: there is no response before the deadline.
        :raises StoppedError: ``is_stopped`` says so.
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
        """End it: by the end of its input, or else at once."""
        cast("BinaryIO", self._process.stdin).close()
        self._connection.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()
        with suppress(OSError):
            cast("BinaryIO", self._process.stdin).close()
        self._connection.close()


def _error(what: str, reason: str) -> ValueError:
    return NotAnImageError(reason) if what == IMAGE_CHECK else NotAVideoError(reason)


def _parse_response(what: str, response: dict[str, Any]) -> dict[str, Any]:
    """Return a response, or raise what it says."""
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
