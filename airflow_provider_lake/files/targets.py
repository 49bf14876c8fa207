"""Locations to which tasks write files: folders of the worker, and object storages."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Self

from airflow_provider_lake.exceptions import LakePermanentError
from airflow_provider_lake.files.locations import is_remote, local_path, remote, text_of


@dataclass(frozen=True, slots=True)
class Target:
    """A file or folder that may not exist yet.

    :param fs: its fsspec file system.
    :param path: its path in that file system.
    :param url: its path or URL as the user gave it.
    """

    fs: Any
    path: str
    url: str

    @classmethod
    def at(cls, target: str | Path, argument: str = "target") -> Self:
        """Return the target of a path or a URL such as ``s3://conn_id@bucket/key``.

        :param argument: name of the argument, for error messages.
        :raises LakePermanentError: it is empty.
        """
        text = text_of(target, argument)
        if is_remote(text):
            location = remote(text)
            return cls(location.fs, location.path, location.url)
        from fsspec.implementations.local import LocalFileSystem

        return cls(LocalFileSystem(), str(Path(local_path(text)).absolute()), text)

    def child(self, name: str) -> Self:
        """Return the target with a name below it."""
        return type(self)(self.fs, f"{self.path}/{name}", f"{self.url.rstrip('/')}/{name}")

    @property
    def is_local(self) -> bool:
        """Whether it is in the worker's own file system."""
        return "file" in ((self.fs.protocol,) if isinstance(self.fs.protocol, str) else self.fs.protocol)

    def make_folder(self) -> None:
        """Create the folder if it does not exist; object storages have no folders, so nothing is done there.

        :raises LakePermanentError: there is a file at its path, or at that of a folder above it.
        :raises OSError: it cannot be created, or no file can be created in it.
        """
        if self.is_local:
            folder = Path(self.path)
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except (FileExistsError, NotADirectoryError):
                raise LakePermanentError(f"{self.url!r} can be no folder: a file is in its place") from None
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, "no file can be put into this folder", str(folder))

    def size(self) -> int | None:
        """Return its size in bytes; None: the file does not exist.

        :raises IsADirectoryError: it is a local folder; in an object storage, a folder and a file may share a name.
        """
        try:
            info = self.fs.info(self.path)
        except FileNotFoundError:
            return None
        if info["type"] != "directory":
            return int(info["size"])
        if self.is_local:
            raise IsADirectoryError(errno.EISDIR, "there is a folder of that name", self.path)
        return None

    def list_names(self) -> list[str]:
        """Return the sorted names of the files and folders directly below it."""
        self.fs.invalidate_cache()
        try:
            return sorted(str(path).rstrip("/").rsplit("/", 1)[1] for path in self.fs.ls(self.path, detail=False))
        except FileNotFoundError:
            return []

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """Yield a local path to write to; after the block, the target exists, complete or not at all.

        :raises OSError: it cannot be written.
        """
        if self.is_local:
            with _write_then_move(Path(self.path)) as path:
                yield path
            return
        with TemporaryDirectory(prefix="lake-") as folder:
            path = Path(folder, "file")
            yield path
            self.fs.put_file(str(path), self.path)

    def reading(self) -> IO[bytes]:
        """Open the file for reading.

        :raises FileNotFoundError: it does not exist.
        """
        opened: IO[bytes] = self.fs.open(self.path, "rb")
        return opened

    def delete(self) -> None:
        """Delete the file, if it exists."""
        try:
            self.fs.rm_file(self.path)
        except FileNotFoundError:
            return

    def delete_if_empty(self) -> None:
        """Delete the folder, if it exists and is empty; object storages have no folders, so nothing is done there."""
        if self.is_local and Path(self.path).is_dir() and not any(Path(self.path).iterdir()):
            Path(self.path).rmdir()


@contextmanager
def _write_then_move(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    incomplete = path.with_name(f".{secrets.token_hex(8)}.incomplete")
    try:
        yield incomplete
        with incomplete.open("rb") as written:
            os.fsync(written.fileno())
        incomplete.replace(path)
    finally:
        incomplete.unlink(missing_ok=True)
