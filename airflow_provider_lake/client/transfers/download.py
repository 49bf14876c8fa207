"""Downloads from object storage into memory or files: streamed, resumed after a failure, checked for size."""

import secrets
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import UUID

from airflow_provider_lake.client.errors import TransferError, TransportError, UsageError
from airflow_provider_lake.client.transfers.local_names import local_name, name_by_id
from airflow_provider_lake.client.transfers.storage import repeat_transfer, storage_attempts
from airflow_provider_lake.client.transport.base import Response, without_secrets
from airflow_provider_lake.client.transport.retry import Attempts
from airflow_provider_lake.client.transport.session import Session, error_from

# Statuses with which storages refuse an expired presigned URL; Google returns 400.
_EXPIRED_STATUSES = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class StoredRecord(Protocol):
    """A record whose bytes are in object storage."""

    @property
    def id(self) -> UUID:
        """Id of the record."""

    @property
    def session(self) -> Session:
        """Session that requests a fresh URL from the lake."""

    @property
    def filename(self) -> str:
        """Name of the record's file."""

    @property
    def url(self) -> str | None:
        """Presigned URL of its bytes, which may have expired."""

    def reset_url(self, attempts: Attempts | None = None) -> str:
        """Return a fresh presigned URL of its bytes."""


def read_object(session: Session, url: str) -> bytes:
    """Return the bytes at a presigned URL.

    :raises TransferError: the storage refuses, for instance because the URL has expired.
    """
    target = BytesIO()
    _Download(session, target).run(url)
    return target.getvalue()


def read_bytes(stored: StoredRecord) -> bytes:
    """Return the bytes of a record.

    :raises TransferError: the storage refuses.
    """
    target = BytesIO()
    _download(stored, target)
    return target.getvalue()


def save_record(stored: StoredRecord, target_path: str | Path, force_replace: bool, use_id: bool) -> Path:
    """Save the bytes of a record as a file, which appears once it is complete.

    :param target_path: folder, created when missing.
    :param force_replace: replace an existing file; otherwise it stays as it is.
    :param use_id: name the file after the record's id, with the extension of its filename. This also happens when the
        filename is not usable.
    :return: path of the file.
    :raises UsageError: ``target_path`` is empty.
    :raises TransferError: the storage refuses.
    """
    # A filename comes from the lake: it must not lead out of the folder.
    name = local_name(stored.filename)
    if use_id or not name.strip("."):
        name = name_by_id(stored.id, stored.filename)
    return save_in_folder(stored, make_folder(target_path), name, force_replace)


def save_in_folder(stored: StoredRecord, folder: Path, name: str, force_replace: bool) -> Path:
    """Save the bytes of a record as a file of this name; an existing one is replaced only if ``force_replace``.

    :return: path of the file.
    :raises TransferError: the storage refuses.
    """
    path = folder / name
    if force_replace or not path.exists():
        save_as(stored, path)
    return path


def make_folder(target_path: str | Path) -> Path:
    """Return a folder; create it when missing.

    :raises UsageError: its path is empty.
    """
    if not str(target_path).strip():
        raise UsageError("target_path is empty, which names no folder: say ./ to mean the working directory")
    folder = Path(target_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def save_as(stored: StoredRecord, path: Path) -> None:
    """Save the bytes of a record at a path, where the file appears once it is complete.

    :raises TransferError: the storage refuses.
    """
    incomplete = path.with_name(f".{secrets.token_hex(8)}.incomplete")
    try:
        with incomplete.open("wb") as target:
            _download(stored, target)
        incomplete.replace(path)
    finally:
        incomplete.unlink(missing_ok=True)


def _download(stored: StoredRecord, target: BinaryIO) -> None:
    """Download from the record's URL; if there is none or it has expired, continue from a fresh one."""
    download = _Download(stored.session, target)
    if stored.url is not None:
        try:
            download.run(stored.url)
        except TransferError as error:
            if error.status not in _EXPIRED_STATUSES:
                raise
        else:
            return
    download.run(stored.reset_url(download.attempts))


class _Download:
    """The download of one object, in as many requests as it takes.

    :param target: receives the bytes; those of failed attempts stay in it.
    """

    def __init__(self, session: Session, target: BinaryIO) -> None:
        self._session = session
        self._target = target
        self.attempts = storage_attempts(session)
        self._size: int | None = None
        self._version: tuple[str | None, ...] = ()

    def run(self, url: str) -> None:
        """Download all bytes that are still missing.

        :raises TransferError: the storage refuses.
        """
        repeat_transfer(self.attempts, "the object", partial(self._resume, url))

    def _resume(self, url: str) -> None:
        here = self._target.tell()
        # If the size is unknown, so is the remaining range.
        headers = {"Range": f"bytes={here}-"} if here and self._size is not None else {}
        self._session.transport.stream(url, headers, partial(self._start_body, url))
        if self._size is not None and self._target.tell() != self._size:
            raise TransportError(f"GET {without_secrets(url)} gave {self._target.tell()} of {self._size} bytes")

    def _start_body(self, url: str, response: Response) -> Callable[[bytes], object]:
        """Check status and headers of a response, and return the function that takes its bytes."""
        if response.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise self._object_changed(url)
        if not response.is_success:
            raise error_from("GET", without_secrets(url), response)
        if response.status == HTTPStatus.PARTIAL_CONTENT:
            self._check_range(response, url)
        else:
            self._restart()
            self._size, self._version = _content_length(response), _object_version(response)
        return self._target.write

    def _check_range(self, response: Response, url: str) -> None:
        """Check that a response holds the remaining bytes of the same object."""
        rest = f"bytes {self._target.tell()}-{(self._size or 0) - 1}/{self._size}"
        if response.headers.get("Content-Range") != rest or _object_version(response) != self._version:
            raise self._object_changed(url)

    def _object_changed(self, url: str) -> TransportError:
        """Discard the bytes so far, and return the error that leads to the next attempt."""
        self._restart()
        return TransportError(f"GET {without_secrets(url)} went on with another object")

    def _restart(self) -> None:
        self._target.seek(0)
        self._target.truncate()


def _content_length(response: Response) -> int | None:
    length = response.headers.get("Content-Length")
    return None if length is None else int(length)


def _object_version(response: Response) -> tuple[str | None, ...]:
    """Return what tells versions of an object apart, as far as the storage reports it."""
    return response.headers.get("ETag"), response.headers.get("Last-Modified")
