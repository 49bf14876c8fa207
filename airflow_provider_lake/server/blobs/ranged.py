"""Remote objects as files, of which only the ranges that are read are fetched."""

import io
from collections.abc import Callable
from typing import Any

READ_AHEAD = 64 << 10


class _RangedFile(io.RawIOBase):
    """A file whose bytes are fetched by ranges.

    :param fetch: returns the bytes of a range, given its first byte and length; never called beyond ``size``.
    :param first_bytes: the first bytes, if they were fetched already.
    :param size: in bytes.
    """

    def __init__(self, fetch: Callable[[int, int], bytes], first_bytes: bytes, size: int) -> None:
        self._fetch = fetch
        self._first_bytes = first_bytes
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"negative position {base + offset}")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        first, wanted = self._position, min(len(view), self._size - self._position)
        if wanted <= 0:
            return 0
        found = self._first_bytes[first : first + wanted] or self._fetch(first, wanted)
        view[: len(found)] = found
        self._position += len(found)
        return len(found)

    def readall(self) -> bytes:
        # In one request; the base class would send one for every 8 KiB.
        known = self._first_bytes[self._position :]
        first = self._position + len(known)
        self._position = max(first, self._size)
        return known + (self._fetch(first, self._size - first) if first < self._size else b"")


def open_ranged(fetch: Callable[[int, int], bytes], first_bytes: bytes, size: int) -> io.BufferedReader:
    """Return a file over ranges; it reads ahead, so that many small reads make few requests.

    :param fetch: returns the bytes of a range, given its first byte and length.
    :param first_bytes: the first bytes, which then need not be fetched.
    :param size: of the whole object, in bytes.
    """
    return io.BufferedReader(_RangedFile(fetch, first_bytes, size), READ_AHEAD)
