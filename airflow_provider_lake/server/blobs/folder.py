"""A blob store in a folder: each object is a plain file at its object name, so that users can put files there too."""

import hashlib
import os
import shutil
import stat
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO
from uuid import UUID, uuid4

from airflow_provider_lake.server.blobs.base import MAX_FORM_BYTES, MAX_PART_BYTES, Blob, Part, PresignedPost
from airflow_provider_lake.server.blobs.incoming import IncomingFile
from airflow_provider_lake.server.blobs.names import RESERVED, check_object_name, check_prefix
from airflow_provider_lake.server.blobs.signing import FormPolicy, UrlSigner
from airflow_provider_lake.server.errors import ConflictError

_INCOMING = ".arriving"
_BLOCK = 1 << 20
_ATTEMPTS = 10


class FolderStore:
    """Stores objects below one folder; incoming files are in another, on the same file system, until they are complete.

    An object is published durably and atomically: sync the file, rename it into place, sync the folder.

    :param max_form_bytes: the largest object that a presigned form accepts.
    :param prefix: prefix of the keys of all objects: a folder below ``objects``.
    """

    client_type = "minio"

    def __init__(
        self,
        objects: Path,
        staging: Path,
        signer: UrlSigner,
        max_form_bytes: int = MAX_FORM_BYTES,
        prefix: str = "",
    ) -> None:
        self.prefix = prefix
        self.objects = objects
        self.staging = staging
        self.signer = signer
        self._max_form_bytes = max_form_bytes
        # A deletion must not remove an emptied folder while a file is about to be moved there.
        self._folders = threading.Lock()

    def with_prefix(self, prefix: str) -> "FolderStore":
        """Return the store of the objects whose keys start with a prefix; object names omit it."""
        store = FolderStore(self.objects, self.staging, self.signer, self._max_form_bytes, self.prefix + prefix)
        store._folders = self._folders
        return store

    def stat(self, object_name: str) -> Blob:
        """Describe one object; ``FileNotFoundError`` where there is none."""
        found = self._find(object_name)
        if found is None:
            raise FileNotFoundError(object_name)
        return found

    def stat_many(self, object_names: Sequence[str]) -> list[Blob | None]:
        """Describe several objects in their order; None for an absent one."""
        is_linked = cache(self._is_linked)
        return [self._find(object_name, is_linked) for object_name in object_names]

    def open(self, object_name: str) -> BinaryIO:
        """Open one object for reading; ``FileNotFoundError`` where there is none."""
        path = self.path_of(object_name)
        if path is None or not path.is_file():
            raise FileNotFoundError(object_name)
        return path.open("rb")

    def path_of(self, object_name: str) -> Path | None:
        """Return the file of an object, existing or not; None if its path has a symbolic link."""
        path = self._path(object_name)
        return None if self._is_linked(path) else path

    def put(self, object_name: str, content: bytes, content_type: str) -> None:
        """Store an object that the lake makes itself; it replaces one of the same name."""
        with self.incoming() as incoming:
            incoming.write(content)
            incoming.finish()
            self.publish(incoming.path, object_name)

    def scan(self, prefix: str, after: str | None = None) -> Iterator[Blob]:
        """Yield the objects below ``prefix`` in the order of their names, starting after ``after``.

        Memory grows with the largest single folder, not with the store. Symbolic links are left out: they could point
        anywhere.
        """
        check_prefix(prefix)
        folder, _, _ = prefix.rpartition("/")
        start = f"{folder}/" if folder else ""
        root = self._root / folder
        if root.is_dir() and not self._is_linked(root):
            for blob in self._walk(root, start, prefix):
                if after is None or blob.object_name > after:
                    yield blob

    def delete(self, object_name: str) -> None:
        """Remove one object, and the folders that it leaves empty; absence is fine."""
        path = self._path(object_name)
        if self._is_linked(path.parent):
            return
        with self._folders:
            with suppress(FileNotFoundError, IsADirectoryError, NotADirectoryError):
                path.unlink()
            for folder in self._folders_of(path):
                try:
                    folder.rmdir()
                except OSError:
                    break  # not empty

    def presign_get(self, object_name: str, base_url: str) -> str:
        """Return a presigned URL to download one object."""
        return self.signer.sign_url("GET", base_url, f"/storage/objects/{self.prefix}{object_name}")

    def presign_post(self, object_name: str, content_type: str, base_url: str) -> PresignedPost:
        """Return a presigned form to upload one object in one piece."""
        policy = FormPolicy(self.prefix + object_name, content_type, self._max_form_bytes, self.signer.expiry())
        return PresignedPost(f"{base_url}/storage/form", self.signer.sign_form(policy))

    def start_multipart(self, object_name: str, content_type: str, upload_id: UUID) -> str:
        """Start a multipart upload; its id is the lake's own."""
        return str(upload_id)

    def presign_part(self, object_name: str, store_id: str, number: int, base_url: str) -> str:
        """Return a presigned URL to PUT one part."""
        bound = {"object": self.prefix + object_name, "max_bytes": str(MAX_PART_BYTES)}
        return self.signer.sign_url("PUT", base_url, f"/storage/parts/{store_id}/{number}", bound)

    def complete_multipart(self, object_name: str, store_id: str, parts: Sequence[Part]) -> Blob:
        """Join the parts into one object; ``ValueError`` where one is missing or differs. It may be repeated."""
        with self.incoming() as incoming:
            for part in parts:
                self._append(incoming, store_id, part)
            incoming.finish()
            return self.publish(incoming.path, object_name)

    def abort_multipart(self, store_id: str) -> None:
        """Delete the parts of a multipart upload."""
        shutil.rmtree(self.staging / store_id, ignore_errors=True)

    def incoming(self, store_id: str | None = None) -> IncomingFile:
        """Return a new incoming file with a unique name.

        :param store_id: multipart upload that the file is a part of; None: the file is a whole object.
        """
        folder = self.staging if store_id is None else self.staging / store_id
        folder.mkdir(parents=True, exist_ok=True)
        return IncomingFile(folder / f"{uuid4()}{_INCOMING}")

    def publish(self, incoming: Path, object_name: str) -> Blob:
        """Make a complete file the object of this name; it replaces an existing one.

        :raises ConflictError: the name would make a folder of an object, or an object of a folder.
        """
        path = self._path(object_name)
        if self._is_linked(path.parent):
            raise ConflictError(f"a file cannot have the name {object_name!r}: a symbolic link is in its way")
        size = incoming.stat().st_size
        sync(incoming)
        try:
            with self._folders:
                _move(incoming, path)
        except (FileExistsError, IsADirectoryError, NotADirectoryError):
            raise ConflictError(f"a file cannot have the name {object_name!r}: another one is in its way") from None
        for folder in (*self._folders_of(path), self.objects):
            with suppress(FileNotFoundError):  # deleted meanwhile, together with the object
                sync(folder)
        return Blob(object_name, size)

    def discard_incoming(self) -> None:
        """Remove incomplete files of an earlier lake process; complete parts stay."""
        for path in self.staging.rglob(f"*{_INCOMING}"):
            path.unlink()

    def discard_parts(self, kept: Collection[str]) -> None:
        """Remove the parts of all multipart uploads except those in ``kept``."""
        for folder in self.staging.iterdir():
            if folder.is_dir() and folder.name not in kept:
                self.abort_multipart(folder.name)

    def save_part(self, incoming: Path, store_id: str, number: int) -> None:
        """Make a complete file the part of this number; it replaces an existing one."""
        sync(incoming)
        part = self._part(store_id, number)
        incoming.replace(part)
        sync(part.parent)
        sync(self.staging)

    def _append(self, target: IncomingFile, store_id: str, part: Part) -> None:
        digest = hashlib.md5(usedforsecurity=False)
        try:
            with self._part(store_id, part.number).open("rb") as source:
                while block := source.read(_BLOCK):
                    digest.update(block)
                    target.write(block)
        except FileNotFoundError:
            raise ValueError(f"part {part.number} was never uploaded") from None
        if part.etag.strip('"') != digest.hexdigest():
            raise ValueError(f"part {part.number} is not the one of ETag {part.etag}")

    def _part(self, store_id: str, number: int) -> Path:
        return self.staging / store_id / str(number)

    def _find(self, object_name: str, is_linked: Callable[[Path], bool] | None = None) -> Blob | None:
        path = self._path(object_name)
        try:
            found = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not stat.S_ISREG(found.st_mode) or (is_linked or self._is_linked)(path.parent):
            return None
        return Blob(object_name, found.st_size)

    def _is_linked(self, folder: Path) -> bool:
        """Whether the path of a folder of the bucket has a symbolic link, which could point anywhere."""
        # On strings, because it runs for every object: `Path` objects cost ten times as much.
        name, end = str(folder), len(str(self.objects))
        while len(name) > end:
            if os.path.islink(name):  # noqa: PTH114
                return True
            name = name.rpartition(os.sep)[0]
        return False

    def _path(self, object_name: str) -> Path:
        return self._root / check_object_name(object_name)

    @property
    def _root(self) -> Path:
        return self.objects / self.prefix

    def _folders_of(self, path: Path) -> Iterator[Path]:
        """Yield the folders between an object and the folder of all objects, from the innermost."""
        return takewhile(lambda folder: folder != self.objects, path.parents)

    def _walk(self, folder: Path, start: str, prefix: str) -> Iterator[Blob]:
        """Yield the objects below a folder in the order of whole object names, not of the names in each folder."""
        try:
            with os.scandir(folder) as entries:
                found = [
                    (f"{start}{entry.name}{'/' if entry.is_dir(follow_symlinks=False) else ''}", entry)
                    for entry in entries
                    if start or entry.name != RESERVED
                ]
        except FileNotFoundError:
            return  # deleted since the parent was listed
        for name, entry in sorted(found, key=lambda pair: pair[0]):
            if name.endswith("/"):
                if name.startswith(prefix) or prefix.startswith(name):
                    yield from self._walk(Path(entry.path), name, prefix)
            elif name.startswith(prefix) and entry.is_file(follow_symlinks=False):
                with suppress(FileNotFoundError):
                    yield Blob(name, entry.stat(follow_symlinks=False).st_size)


def sync(path: Path) -> None:
    """Sync a file, or the entries of a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _move(incoming: Path, path: Path) -> None:
    """Move a file to its path; try again if another process removed the new folder meanwhile."""
    for attempt in range(_ATTEMPTS):
        try:
            # If the folder is removed during `mkdir`, that raises `FileExistsError`.
            path.parent.mkdir(parents=True, exist_ok=True)
            incoming.replace(path)
        except (FileExistsError, FileNotFoundError):
            if attempt + 1 == _ATTEMPTS or not incoming.exists():
                raise
        else:
            return
