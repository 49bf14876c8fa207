"""A file to ingest, on this machine or in an object storage."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

_BLOCK_SIZE = 1 << 20


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to ingest.

    :param path: its local path, or its object storage URL.
    :param size: in bytes, if a listing reported it; the size of local files is not read in advance.
    :param etag: the storage's identifier of the object's version, if a listing reported it.
    :param error: why the file cannot be ingested, if that is already known.
    :param is_missing: whether the error is that nothing exists at its path.
    :param fs: its fsspec file system; None: a local file.
    :param key: its path in that file system.
    """

    path: str
    size: int | None = None
    etag: str | None = None
    error: str | None = None
    is_missing: bool = False
    fs: Any = field(default=None, repr=False, compare=False)
    key: str = ""

    def __str__(self) -> str:
        return self.path

    @property
    def is_local(self) -> bool:
        """Whether it is a local file."""
        return self.fs is None

    @property
    def name(self) -> str:
        """Its name without folders."""
        return Path(self.path).name if self.is_local else self.key.rpartition("/")[2]

    def exists(self) -> bool:
        """Check whether it exists as a file."""
        return Path(self.path).is_file() if self.is_local else bool(self.fs.isfile(self.key))

    def current_size(self) -> int:
        """Return its size in bytes, which is read if it is not known yet; 0: it cannot be read."""
        if self.size is not None:
            return self.size
        try:
            return os.stat(self.path).st_size if self.is_local else int(self.fs.info(self.key)["size"] or 0)  # noqa: PTH116 - a path is text here
        except (OSError, ValueError):
            return 0

    def open(self) -> IO[bytes]:
        """Open it for reading.

        :raises OSError: it does not exist, or cannot be read.
        """
        if self.is_local:
            return Path(self.path).open("rb")
        opened: IO[bytes] = self.fs.open(self.key, "rb")
        return opened

    def download(self, path: Path) -> None:
        """Copy it from its object storage into a local file."""
        with self.fs.open(self.key, "rb") as source, path.open("wb") as target:
            while block := source.read(_BLOCK_SIZE):
                target.write(block)
