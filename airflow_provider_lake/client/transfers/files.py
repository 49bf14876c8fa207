"""Local files that are uploaded to a lake."""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from airflow_provider_lake.client.errors import UploadError
from airflow_provider_lake.client.transport.base import BLOCK_SIZE
from airflow_provider_lake.text.printable import UNDECODABLE_NAME, is_decodable

# Files of at most this many bytes are read in one go when they are opened.
SMALL_SIZE = 1 << 20
_CHANGED = "changed while it was read"


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A local file open for reading.

    :param path: as the caller passed it.
    :param name: without folders.
    :param size: in bytes.
    :param stream: for readers of the file's header or metadata.
    :param content: all of its bytes; None: the file is too large to keep in memory.
    :param descriptor: the operating system's file descriptor; reads by it do not move the stream's position.
    """

    path: str
    name: str
    size: int
    stream: BinaryIO
    content: bytes | None
    descriptor: int

    def body(
        self,
        start: int = 0,
        length: int | None = None,
        head: bytes = b"",
        tail: bytes = b"",
        *,
        is_hashed: bool = True,
    ) -> "FileBody":
        """Return a range of the file's bytes, between a head and a tail, as the body of a request.

        Several bodies of one file may be read concurrently.

        :param is_hashed: whether to hash the bytes while they are sent; otherwise ``digest()`` reads them once more.
        """
        return FileBody(self, start, self.size - start if length is None else length, head, tail, is_hashed)


class FileBody:
    """Bytes of a file, between a head and a tail, read while they are sent.

    :param start: first byte of the file to send.
    :param length: number of the file's bytes to send.
    :param is_hashed: whether the bytes are hashed while they are sent.
    """

    def __init__(self, file: LocalFile, start: int, length: int, head: bytes, tail: bytes, is_hashed: bool) -> None:
        self._file = file
        self._length = len(head) + length + len(tail)
        self._head = head
        self._start = self._position = start
        self._end = start + length
        self._tail = tail
        self._bytes_read = hashlib.md5(usedforsecurity=False) if is_hashed else None

    def __len__(self) -> int:
        return self._length

    def all(self) -> "bytes | FileBody":
        """Return the body to send: all bytes of a small file, else this object, which is read while it is sent."""
        content = self._file.content
        return self if content is None else b"".join((self._head, content[self._start : self._end], self._tail))

    def digest(self) -> bytes:
        """Return the MD5 of the file's bytes that were sent.

        :raises UploadError: they were not hashed while they were sent, and the file can no longer be read.
        """
        content = self._file.content
        if content is not None:
            return hashlib.md5(content[self._start : self._end], usedforsecurity=False).digest()
        if self._bytes_read is not None:
            return self._bytes_read.digest()
        again = FileBody(self._file, self._start, self._end - self._start, b"", b"", is_hashed=True)
        while again.read():
            pass
        return again.digest()

    def read(self, size: int = BLOCK_SIZE, /) -> bytes:
        """Return the next bytes, at most ``size`` of them; empty at the end.

        :raises UploadError: the file can no longer be read, or has become shorter.
        """
        if self._head:
            piece, self._head = self._head[:size], self._head[size:]
        elif self._position < self._end:
            piece = self._read_file(min(size, self._end - self._position))
            self._position += len(piece)
            if self._bytes_read is not None:
                self._bytes_read.update(piece)
        else:
            piece, self._tail = self._tail[:size], self._tail[size:]
        return piece

    def _read_file(self, size: int) -> bytes:
        try:
            piece = os.pread(self._file.descriptor, size, self._position)
        except OSError as error:
            # An OSError would be mistaken for a broken connection.
            raise UploadError(self._file.path, f"cannot be read: {error.strerror}", error) from error
        if not piece:
            raise UploadError(self._file.path, "became shorter while it was read")
        return piece


@contextmanager
def open_file(path: str) -> Iterator[LocalFile]:
    """Open a file and, at the end, check that it has not changed meanwhile.

    :raises UploadError: it is missing, unreadable, empty or not a regular file, or it changed meanwhile.
    """
    try:
        name = _filename(path)
        # Check before opening: opening a pipe would block until a writer comes.
        _require_content(path, os.stat(path))  # noqa: PTH116 - a Path costs more than the call itself
        # A descriptor, because a file object makes four more system calls, which matters for many small files.
        descriptor = os.open(path, os.O_RDONLY)
        try:
            before = os.fstat(descriptor)
            content = _read_small(path, descriptor, before.st_size) if before.st_size <= SMALL_SIZE else None
            stream = open(descriptor, "rb", closefd=False) if content is None else BytesIO(content)  # noqa: SIM115
            yield LocalFile(path, name, before.st_size, stream, content, descriptor)
            after = os.fstat(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UploadError(path, error.strerror or str(error), error) from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise UploadError(path, _CHANGED)


def _filename(path: str) -> str:
    """Return the name of a file.

    :raises UploadError: the name is invalid, or a lake cannot store it.
    """
    if "\0" in path:
        raise UploadError(path, "no file can have a name with a zero byte")
    name = Path(path).name
    if not is_decodable(name):
        raise UploadError(path, UNDECODABLE_NAME)
    return name


def _read_small(path: str, descriptor: int, size: int) -> bytes:
    content = os.read(descriptor, size)
    # Some file systems return fewer bytes than requested.
    while len(content) < size:
        piece = os.read(descriptor, size - len(content))
        if not piece:
            raise UploadError(path, _CHANGED)
        content += piece
    return content


def _require_content(path: str, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise UploadError(path, "is a folder")
    if not stat.S_ISREG(status.st_mode):
        raise UploadError(path, "is no regular file")
    if status.st_size == 0:
        raise UploadError(path, "is empty")
