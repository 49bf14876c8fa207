"""Local files on their way into a lake."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from airflow_provider_lake.client.errors import UploadError
from airflow_provider_lake.client.exchange import BLOCK_SIZE


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A local file open for reading.

    :param path: as it was given.
    :param size: in bytes.
    """

    path: str
    stream: BinaryIO
    size: int

    @property
    def name(self) -> str:
        """Its name without folders."""
        return Path(self.path).name

    def body(self, start: int = 0, length: int | None = None, head: bytes = b"", tail: bytes = b"") -> "FileBody":
        """Return some of its bytes, between a head and a tail, as the body of a request."""
        return FileBody(self, start, self.size - start if length is None else length, head, tail)


class FileBody:
    """Bytes of a file, between a head and a tail, read while they are sent.

    :param start: first byte of the file to send.
    :param length: number of the file's bytes to send.
    """

    def __init__(self, file: LocalFile, start: int, length: int, head: bytes, tail: bytes) -> None:
        self._file = file
        self._length = len(head) + length + len(tail)
        self._head = head
        self._left = length
        self._tail = tail
        file.stream.seek(start)

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = BLOCK_SIZE, /) -> bytes:
        """Return the next bytes, at most ``size`` of them; empty: the end.

        :raises UploadError: the file cannot be read any more, or has become shorter.
        """
        if self._head:
            piece, self._head = self._head[:size], self._head[size:]
        elif self._left:
            piece = self._read_file(min(size, self._left))
            self._left -= len(piece)
        else:
            piece, self._tail = self._tail[:size], self._tail[size:]
        return piece

    def _read_file(self, size: int) -> bytes:
        try:
            piece = self._file.stream.read(size)
        except OSError as error:
            # As an OSError it would pass for a broken connection.
            raise UploadError(self._file.path, f"cannot be read: {error.strerror}", error) from error
        if not piece:
            raise UploadError(self._file.path, "became shorter while it was read")
        return piece


@contextmanager
def open_file(path: str) -> Iterator[LocalFile]:
    """Open a file, and check when all is done that it is still the one that was opened.

    :raises UploadError: it is missing, unreadable, empty or no file, or it changed meanwhile.
    """
    try:
        # Before opening: a pipe would wait for a writer.
        _require_content(path, Path(path).stat())
        with Path(path).open("rb") as stream:
            before = os.fstat(stream.fileno())
            yield LocalFile(path, stream, before.st_size)
            after = os.fstat(stream.fileno())
    except OSError as error:
        raise UploadError(path, error.strerror or str(error), error) from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise UploadError(path, "changed while it was read")


def _require_content(path: str, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise UploadError(path, "is a folder")
    if not stat.S_ISREG(status.st_mode):
        raise UploadError(path, "is no regular file")
    if status.st_size == 0:
        raise UploadError(path, "is empty")
