"""Uploads bytes to object storage by presigned URLs from the lake."""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache, partial
from http import HTTPStatus
from threading import Semaphore
from typing import Any, Literal, TypeVar
from uuid import UUID

from airflow_provider_lake.client.concurrency.worker_pool import run_all
from airflow_provider_lake.client.errors import (
    BadRequestError,
    LakeError,
    ResponseError,
    TransferError,
    TransportError,
)
from airflow_provider_lake.client.transfers.digests import Digests
from airflow_provider_lake.client.transfers.files import FileBody, LocalFile
from airflow_provider_lake.client.transport.base import Response, without_secrets
from airflow_provider_lake.client.transport.fields import form_fields, read_field, require_mapping
from airflow_provider_lake.client.transport.retry import Attempts, RetryPolicy
from airflow_provider_lake.client.transport.session import Session, error_from

PART_SIZE = 25 * 1024 * 1024
_ONCE = RetryPolicy(attempts=1)
Purpose = Literal["DATA", "DATA_PROJECTION", "LOGGING"]
# The range that a resumable upload has stored: from the first byte to this one.
_RANGE = re.compile(r"bytes=0-(\d+)")
_T = TypeVar("_T")


class ObjectStorage:
    """The object storage behind one connector.

    :param connector_id: its connector.
    """

    def __init__(self, session: Session, connector_id: UUID) -> None:
        self._session = session
        self._connector_id = connector_id
        self._digests = Digests(session, connector_id)

    def generate_object_name(
        self,
        filename: str,
        purpose: Purpose,
        upload_dir: str | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> str:
        """Request a name from the lake for an object to store.

        :param upload_dir: prefix of the name; only for a storage of the organization's own.
        :param context: ids of what the object belongs to.
        """
        organization = f"/api/organization/{self._session.organization_id}"
        optional = {"upload_dir": upload_dir, "context": context}
        body = {"filename": filename, "type": purpose} | {name: value for name, value in optional.items() if value}
        path = f"{organization}/connector/{self._connector_id}/generate_object_name"
        return read_field(self._session.request("POST", path, json=body, repeatable=True), "object_name", str)

    def generate_object_names(self, filenames: Sequence[str], max_workers: int | None) -> list[str | None]:
        """Request an object name from the lake for each file, in several threads.

        :param max_workers: None: adapt the number to the measured throughput.
        :return: None for a file whose name the lake refuses.
        """

        def attempt(filename: str) -> str | None:
            try:
                return self.generate_object_name(filename, "DATA")
            except BadRequestError:
                return None

        return run_all(attempt, filenames, max_workers, self._session.concurrency)

    def store(self, file: LocalFile, object_name: str, content_type: str) -> None:
        """Store a file, in parts when it is large.

        :raises TransferError: the storage refuses it.
        """
        explain_shape = {"object_name": object_name, "content_type": content_type}
        if file.size > PART_SIZE:
            try:
                upload = self._presign("init_multipart_upload", explain_shape)
            except BadRequestError:
                pass  # This storage does not support multipart uploads.
            else:
                self._store_parts(file, object_name, upload)
                return
        self._store_whole(file, object_name, content_type, self._presign("generate_presigned_url", explain_shape))

    def _presign(self, what: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Request a signature; the request changes nothing, so it may be repeated."""
        return require_mapping(self._session.request("POST", self._path(what), json=body, repeatable=True))

    def _path(self, what: str) -> str:
        return f"/api/object-storage/{self._connector_id}/{what}"

    def _store_whole(self, file: LocalFile, object_name: str, content_type: str, signed: Mapping[str, Any]) -> None:
        form = read_field(signed, "presigned_url_data", dict)
        url, fields = read_field(form, "url", str), form_fields(form.get("fields"))
        match read_field(signed, "client_type", str):
            case "aws" | "minio" | "google":
                boundary = secrets.token_hex(16)
                head = _form_head(boundary, {**fields, "Content-Type": content_type}, file.name)
                tail = f"\r\n--{boundary}--\r\n".encode()
                headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
                body = partial(file.body, head=head, tail=tail)
                self._send("POST", url, object_name, body, headers, file.size)
            case "azure":
                headers = {**fields, "Content-Type": content_type, "x-ms-blob-type": "BlockBlob"}
                self._send("PUT", url, object_name, file.body, headers, file.size)
            case kind:
                raise TransferError(f"the lake stores objects in a way unknown here: {kind}")

    def _store_parts(self, file: LocalFile, object_name: str, upload: Mapping[str, Any]) -> None:
        match read_field(upload, "client_type", str):
            case "aws" | "minio":
                upload_fields = {"object_name": object_name, "upload_id": read_field(upload, "upload_id", str)}
                self._complete_parts(
                    upload_fields | {"parts": self._send_parts(file, upload_fields)}, object_name, file.size
                )
            case "google":
                self._store_resumable(file, read_field(upload, "url", str), object_name)
            case kind:
                raise TransferError(f"the lake stores objects in a way unknown here: {kind}")

    def _store_resumable(self, file: LocalFile, url: str, object_name: str) -> None:
        """Send a file piece by piece, each starting where the storage reports that the last ended."""
        position = 0

        digests = self._digests.comparison_for(object_name)

        def attempt() -> bool:
            nonlocal position
            end = min(position + PART_SIZE, file.size)
            # With nothing left to send, this requests the result.
            span = f"{position}-{end - 1}" if position < end else "*"
            headers = {"Content-Range": f"bytes {span}/{file.size}"}
            body = file.body(position, end - position, is_hashed=False).all()
            response = self._session.transport.send("PUT", url, headers=headers, body=body, all_headers=True)
            # Google responds with 308 while it expects more bytes.
            if response.status != HTTPStatus.PERMANENT_REDIRECT:
                require_success("PUT", url, response)
                digests.compare(
                    response, file.body(is_hashed=False), lambda: self._is_probably_stored(object_name, file.size)
                )
                return True
            before, position = position, _stored_bytes(response, file.size)
            if position <= before:
                raise TransportError(f"object storage took nothing more of {object_name} than {position} bytes")
            return False

        # Each piece has its own attempts, as parts have: an upload of hours survives an error every hour.
        while not repeat_transfer(storage_attempts(self._session), object_name, attempt):
            pass

    def _send_parts(self, file: LocalFile, upload_fields: dict[str, Any]) -> list[dict[str, Any]]:
        """Send the parts of a file, concurrently as far as threads are free, and return their ETags and numbers."""
        object_name = upload_fields["object_name"]

        def send(numbered: tuple[int, tuple[int, int]]) -> dict[str, Any]:
            number, (start, end) = numbered
            url = read_field(
                self._presign("generate_part_presigned_url", upload_fields | {"part_no": number}), "url", str
            )
            response = self._send("PUT", url, object_name, partial(file.body, start, end - start), {}, None)
            return {"ETag": _etag(response, object_name), "PartNumber": number}

        parts = list(enumerate(part_ranges(file.size), start=1))
        with _borrowed(self._session.part_threads, len(parts) - 1) as spare:
            return run_all(send, parts, 1 + spare, self._session.concurrency)

    def _complete_parts(self, parts: Mapping[str, Any], object_name: str, size: int) -> None:
        """Complete a multipart upload; if a response was lost it may be complete, and the next attempt be refused."""
        try:
            self._session.request("POST", self._path("complete_part_upload"), json=parts, repeatable=True)
        except ResponseError:
            if not self._is_stored(object_name, size):
                raise
            return
        if self._digests.are_unreliable and not self._is_stored(object_name, size):
            raise TransferError(f"object storage has put together {object_name} of another size than {size} bytes")

    def _is_stored(self, object_name: str, size: int, attempts: Attempts | None = None) -> bool:
        """Return whether the object exists with this size."""
        path, wanted = self._path("retrieve_presigned_url"), {"object_name": object_name}
        signed = self._session.request("POST", path, json=wanted, repeatable=True, attempts=attempts)
        url = read_field(signed, "presigned_url", str)
        response = self._session.transport.stream(url, {}, lambda _: None)
        return response.is_success and response.headers.get("Content-Length") == str(size)

    def _is_probably_stored(self, object_name: str, size: int) -> bool:
        """Check once, within an attempt, whether the object exists with this size."""
        try:
            return self._is_stored(object_name, size, Attempts(_ONCE))
        except LakeError:
            return False

    def _send(
        self,
        method: str,
        url: str,
        object_name: str,
        body: Callable[..., FileBody],
        headers: Mapping[str, str],
        size: int | None,
    ) -> Response:
        """Send bytes to a presigned URL; sending them again overwrites them, so the request may be repeated.

        :param size: of the whole object; None: the bytes are a part of one.
        """

        def is_stored() -> bool:
            return size is None or self._is_probably_stored(object_name, size)

        def attempt() -> Response:
            bytes_of = body(is_hashed=self._digests.are_reported)
            response = self._session.transport.send(method, url, headers=headers, body=bytes_of.all(), all_headers=True)
            require_success(method, url, response)
            digests.compare(response, bytes_of, is_stored)
            return response

        digests = self._digests.comparison_for(object_name)
        return repeat_transfer(storage_attempts(self._session), object_name, attempt)


@contextmanager
def _borrowed(threads: Semaphore, wanted: int) -> Iterator[int]:
    """Acquire as many threads as are free, up to ``wanted``, and yield their number."""
    count = 0
    try:
        while count < wanted and threads.acquire(blocking=False):
            count += 1
        yield count
    finally:
        if count:
            threads.release(count)


def part_ranges(size: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of each part of a file of this size."""
    for start in range(0, size, PART_SIZE):
        yield start, min(start + PART_SIZE, size)


def repeat_transfer(attempts: Attempts, name: str, attempt: Callable[[], _T]) -> _T:
    """Repeat requests to object storage until they succeed.

    :param attempts: of the whole transfer, of which this is a stage.
    :param name: of the object, for the error.
    :raises TransferError: the storage refuses.
    """
    try:
        return attempts.repeat(attempt, repeatable=True)
    except ResponseError as error:
        raise TransferError(f"object storage refuses {name}: {error}", error.status) from error


def storage_attempts(session: Session) -> Attempts:
    """Return the attempts of one transfer: for object storage, 500 is worth a retry too."""
    return Attempts(_storage_policy(session.retry), session.pause)


@lru_cache
def _storage_policy(policy: RetryPolicy) -> RetryPolicy:
    return replace(policy, statuses=policy.statuses | {HTTPStatus.INTERNAL_SERVER_ERROR})


def _form_head(boundary: str, fields: Mapping[str, str], filename: str) -> bytes:
    """Return a multipart form up to the first byte of its file."""
    lines = []
    for name, value in fields.items():
        lines += [f"--{boundary}", f'Content-Disposition: form-data; name="{name}"', "", value]
    quoted = filename.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    lines += [f"--{boundary}", f'Content-Disposition: form-data; name="file"; filename="{quoted}"', "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")


def require_success(method: str, url: str, response: Response) -> None:
    """Raise the error that a storage's response means.

    :raises ResponseError: the response is an error.
    """
    if not response.is_success:
        raise error_from(method, without_secrets(url), response)


def _stored_bytes(response: Response, size: int) -> int:
    """Return how many bytes a resumable upload has stored so far; without a ``Range`` header, none."""
    taken = _RANGE.fullmatch(response.headers.get("Range", "").strip())
    return 0 if taken is None else min(int(taken[1]) + 1, size)


def _etag(response: Response, object_name: str) -> str:
    etag = response.headers.get("ETag")
    if etag is None:
        raise TransferError(f"object storage took a part of {object_name} without naming its ETag")
    return etag
