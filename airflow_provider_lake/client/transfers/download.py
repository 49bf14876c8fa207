"""From object storage into memory or files: streamed, resumed where it broke off, checked for size."""

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
from airflow_provider_lake.client.transfers.storage import attempts_of_storage, repeat_transfer
from airflow_provider_lake.client.transport.attempts import Attempts
from airflow_provider_lake.client.transport.base import Answer, unsigned
from airflow_provider_lake.client.transport.session import Session, error_of

# How storages refuse a signed URL that is too old; Google answers 400.
_TOO_OLD = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class Stored(Protocol):
    """A record whose bytes lie in object storage."""

    @property
    def id(self) -> UUID:
        """Its id."""

    @property
    def session(self) -> Session:
        """Who asks the lake about it."""

    @property
    def filename(self) -> str:
        """What its file was called."""

    @property
    def url(self) -> str | None:
        """Signed URL of its bytes, which may be too old."""

    def reset_url(self, attempts: Attempts | None = None) -> str:
        """Return a freshly signed URL of its bytes."""


def read_object(session: Session, url: str) -> bytes:
    """Return the bytes at a signed URL.

    :raises TransferError: the storage refuses, for instance because the URL is too old.
    """
    target = BytesIO()
    _Download(session, target).complete(url)
    return target.getvalue()


def read_stored(stored: Stored) -> bytes:
    """Return the bytes of a record.

    :raises TransferError: the storage refuses.
    """
    target = BytesIO()
    _fetch(stored, target)
    return target.getvalue()


def save_stored(stored: Stored, target_path: str | Path, force_replace: bool, use_id: bool) -> Path:
    """Save the bytes of a record as a file, which appears once it is complete.

    :param target_path: folder, made when missing.
    :param force_replace: replace a file that is there already; it stays otherwise.
    :param use_id: name the file after the record's id, with the extension of its filename; so is one whose filename
        names no file.
    :return: path of the file.
    :raises UsageError: ``target_path`` is empty.
    :raises TransferError: the storage refuses.
    """
    # A filename comes from the lake: it must not lead out of the folder.
    name = local_name(stored.filename)
    if use_id or not name.strip("."):
        name = name_by_id(stored.id, stored.filename)
    return save_under(stored, made_folder(target_path), name, force_replace)


def save_under(stored: Stored, folder: Path, name: str, force_replace: bool) -> Path:
    """Save the bytes of a record as a file of a name, unless there is one and it is not to be replaced.

    :return: path of the file.
    :raises TransferError: the storage refuses.
    """
    path = folder / name
    if force_replace or not path.exists():
        save_as(stored, path)
    return path


def made_folder(target_path: str | Path) -> Path:
    """Return a folder, made when missing.

    :raises UsageError: its path is empty.
    """
    if not str(target_path).strip():
        raise UsageError("target_path is empty, which names no folder: say ./ to mean the working directory")
    folder = Path(target_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def save_as(stored: Stored, path: Path) -> None:
    """Save the bytes of a record under a path, where the file appears once it is complete.

    :raises TransferError: the storage refuses.
    """
    incomplete = path.with_name(f".{secrets.token_hex(8)}.incomplete")
    try:
        with incomplete.open("wb") as target:
            _fetch(stored, target)
        incomplete.replace(path)
    finally:
        incomplete.unlink(missing_ok=True)


def _fetch(stored: Stored, target: BinaryIO) -> None:
    """Download from the record's URL, and go on from a fresh one when there is none or it is too old."""
    download = _Download(stored.session, target)
    if stored.url is not None:
        try:
            download.complete(stored.url)
        except TransferError as error:
            if error.status not in _TOO_OLD:
                raise
        else:
            return
    download.complete(stored.reset_url(download.attempts))


class _Download:
    """One object on its way, over as many exchanges as it takes.

    :param target: keeps what has come so far.
    """

    def __init__(self, session: Session, target: BinaryIO) -> None:
        self._session = session
        self._target = target
        self.attempts = attempts_of_storage(session)
        self._size: int | None = None
        self._version: tuple[str | None, ...] = ()

    def complete(self, url: str) -> None:
        """Get all bytes that have not come so far.

        :raises TransferError: the storage refuses.
        """
        repeat_transfer(self.attempts, "the object", partial(self._go_on, url))

    def _go_on(self, url: str) -> None:
        here = self._target.tell()
        # Of a size that is not known, nobody can say what is left.
        headers = {"Range": f"bytes={here}-"} if here and self._size is not None else {}
        self._session.sender.fetch(url, headers, partial(self._begin, url))
        if self._size is not None and self._target.tell() != self._size:
            raise TransportError(f"GET {unsigned(url)} gave {self._target.tell()} of {self._size} bytes")

    def _begin(self, url: str, answer: Answer) -> Callable[[bytes], object]:
        """Judge the head of an answer, and return what takes its bytes."""
        if answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise self._changed(url)
        if not answer.is_success:
            raise error_of("GET", unsigned(url), answer)
        if answer.status == HTTPStatus.PARTIAL_CONTENT:
            self._require_rest(answer, url)
        else:
            self._start_over()
            self._size, self._version = _size_of(answer), _version_of(answer)
        return self._target.write

    def _require_rest(self, answer: Answer, url: str) -> None:
        """Check that an answer holds what is left of the object that was begun."""
        rest = f"bytes {self._target.tell()}-{(self._size or 0) - 1}/{self._size}"
        if answer.headers.get("Content-Range") != rest or _version_of(answer) != self._version:
            raise self._changed(url)

    def _changed(self, url: str) -> TransportError:
        """Forget what has come, and return the error that leads to the next attempt."""
        self._start_over()
        return TransportError(f"GET {unsigned(url)} went on with another object")

    def _start_over(self) -> None:
        self._target.seek(0)
        self._target.truncate()


def _size_of(answer: Answer) -> int | None:
    length = answer.headers.get("Content-Length")
    return None if length is None else int(length)


def _version_of(answer: Answer) -> tuple[str | None, ...]:
    """Return what differs between versions of an object, where the storage says it."""
    return answer.headers.get("ETag"), answer.headers.get("Last-Modified")
