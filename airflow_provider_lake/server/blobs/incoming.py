"""Bytes that are arriving: a file that nobody sees yet, and its digest."""

import hashlib
from pathlib import Path
from types import TracebackType
from typing import Self


class IncomingFile:
    """A new file that is removed at the end of the block, unless it was moved away by then."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._digest = hashlib.md5(usedforsecurity=False)

    def __enter__(self) -> Self:
        self._file = self.path.open("xb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._file.close()
        finally:  # a full disk fails the closing too
            self.path.unlink(missing_ok=True)

    def write(self, data: bytes | memoryview) -> None:
        """Add the next bytes."""
        self._digest.update(data)
        self._file.write(data)
        self.size += len(data)

    def finish(self) -> None:
        """Say that all bytes are there."""
        self._file.close()

    @property
    def etag(self) -> str:
        """The quoted MD5 of the bytes so far, as S3 names a version of an object."""
        return f'"{self._digest.hexdigest()}"'
