"""A file that is being received: not visible as an object yet, with its digest."""

import hashlib
from pathlib import Path
from types import TracebackType
from typing import Self


class IncomingFile:
    """A new file that is removed at the end of the block, unless it was moved by then."""

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
        finally:  # closing fails too on a full disk
            self.path.unlink(missing_ok=True)

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes."""
        self._digest.update(data)
        self._file.write(data)
        self.size += len(data)

    def finish(self) -> None:
        """Close the file, once all bytes are written."""
        self._file.close()

    @property
    def etag(self) -> str:
        """The quoted MD5 of the bytes so far, in the form of S3's ETags."""
        return f'"{self._digest.hexdigest()}"'
