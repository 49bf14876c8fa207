"""Bytes to object storage, by URLs that the lake signs."""

import base64
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

from airflow_provider_lake.client.attempts import Attempts
from airflow_provider_lake.client.crew import do_all
from airflow_provider_lake.client.errors import (
    BadRequestError,
    ResponseError,
    TransferError,
    TransportError,
)
from airflow_provider_lake.client.exchange import Answer, unsigned
from airflow_provider_lake.client.files import FileBody, LocalFile
from airflow_provider_lake.client.http import Session, error_of
from airflow_provider_lake.client.retry import RetryPolicy
from airflow_provider_lake.client.shape import field_of, form_fields

PART_SIZE = 25 * 1024 * 1024
Purpose = Literal["DATA", "DATA_PROJECTION", "LOGGING"]
_MD5 = re.compile("[0-9a-f]{32}")
_ENCRYPTED = ("x-amz-server-side-encryption-", "x-goog-encryption-")
_T = TypeVar("_T")


class ObjectStorage:
    """The object storage behind one connector.

    :param connector_id: its connector.
    """

    def __init__(self, session: Session, connector_id: UUID) -> None:
        self._session = session
        self._connector_id = connector_id

    def generate_object_name(
        self,
        filename: str,
        purpose: Purpose,
        upload_dir: str | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> str:
        """Have the lake choose the name for an object to store.

        :param upload_dir: what the name begins with; only on a storage of the organization's own.
        :param context: ids of what the object is about.
        """
        organization = f"/api/organization/{self._session.organization_id}"
        optional = {"upload_dir": upload_dir, "context": context}
        body = {"filename": filename, "type": purpose} | {name: value for name, value in optional.items() if value}
        path = f"{organization}/connector/{self._connector_id}/generate_object_name"
        return field_of(self._session.request("POST", path, json=body, repeatable=True), "object_name", str)

    def generate_object_names(self, filenames: Sequence[str], max_workers: int | None) -> list[str | None]:
        """Have the lake choose a name for an object of each file, over threads.

        :param max_workers: None: as many as are worth it.
        :return: None for a file whose name the lake refuses.
        """

        def attempt(filename: str) -> str | None:
            try:
                return self.generate_object_name(filename, "DATA")
            except BadRequestError:
                return None

        return do_all(attempt, filenames, max_workers, self._session.pace)

    def store(self, file: LocalFile, object_name: str, content_type: str) -> None:
        """Store a file, in parts when it is large.

        :raises TransferError: the storage refuses it.
        """
        described = {"object_name": object_name, "content_type": content_type}
        if file.size > PART_SIZE:
            try:
                upload = self._sign("init_multipart_upload", described)
            except BadRequestError:
                pass  # This storage takes no parts.
            else:
                self._store_parts(file, object_name, upload)
                return
        self._store_whole(file, object_name, content_type, self._sign("generate_presigned_url", described))

    def _sign(self, what: str, body: Mapping[str, Any]) -> Any:
        """Ask for something signed; this alone changes nothing, so it may be repeated."""
        path = f"/api/object-storage/{self._connector_id}/{what}"
        return self._session.request("POST", path, json=body, repeatable=True)

    def _sign_url(self, what: str, body: Mapping[str, Any], name: str) -> str:
        """Ask for a signed URL, which the answer has under a name."""
        return field_of(self._sign(what, body), name, str)

    def _store_whole(self, file: LocalFile, object_name: str, content_type: str, signed: Mapping[str, Any]) -> None:
        form = field_of(signed, "presigned_url_data", dict)
        url, fields = field_of(form, "url", str), form_fields(form.get("fields"))
        match field_of(signed, "client_type", str):
            case "aws" | "minio" | "google":
                boundary = secrets.token_hex(16)
                head = _form_head(boundary, {**fields, "Content-Type": content_type}, file.name)
                tail = f"\r\n--{boundary}--\r\n".encode()
                headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
                self._send("POST", url, object_name, partial(file.body, head=head, tail=tail), headers)
            case "azure":
                headers = {**fields, "Content-Type": content_type, "x-ms-blob-type": "BlockBlob"}
                self._send("PUT", url, object_name, file.body, headers)
            case kind:
                raise TransferError(f"the lake stores objects in a way unknown here: {kind}")

    def _store_parts(self, file: LocalFile, object_name: str, upload: Mapping[str, Any]) -> None:
        match field_of(upload, "client_type", str):
            case "aws" | "minio":
                upload_of = {"object_name": object_name, "upload_id": field_of(upload, "upload_id", str)}
                self._complete(upload_of | {"parts": self._send_parts(file, upload_of)}, object_name, file.size)
            case "google":
                for start, end in part_ranges(file.size):
                    headers = {"Content-Range": f"bytes {start}-{end - 1}/{file.size}"}
                    body = partial(file.body, start, end - start)
                    more_follows = end < file.size
                    self._send(
                        "PUT", field_of(upload, "url", str), object_name, body, headers, more_follows, taken=file.body
                    )
            case kind:
                raise TransferError(f"the lake stores objects in a way unknown here: {kind}")

    def _send_parts(self, file: LocalFile, upload_of: dict[str, Any]) -> list[dict[str, Any]]:
        """Send the parts of a file, several at a time where threads can be had, and return what they are called."""
        object_name = upload_of["object_name"]

        def send(numbered: tuple[int, tuple[int, int]]) -> dict[str, Any]:
            number, (start, end) = numbered
            url = self._sign_url("generate_part_presigned_url", upload_of | {"part_no": number}, "url")
            answer = self._send("PUT", url, object_name, partial(file.body, start, end - start), {})
            return {"ETag": _etag(answer, object_name), "PartNumber": number}

        parts = list(enumerate(part_ranges(file.size), start=1))
        with _lent(self._session.spare_threads, len(parts) - 1) as spare:
            return do_all(send, parts, 1 + spare, self._session.pace)

    def _complete(self, parts: Mapping[str, Any], object_name: str, size: int) -> None:
        """Have the parts put together; after a lost answer they may be so, and the next attempt be refused."""
        try:
            self._sign("complete_part_upload", parts)
        except ResponseError:
            if self._stored_size(object_name) != size:
                raise

    def _stored_size(self, object_name: str) -> int | None:
        """Return the size of an object in bytes; None: there is no such object."""
        url = self._sign_url("retrieve_presigned_url", {"object_name": object_name}, "presigned_url")
        answer = self._session.sender.fetch(url, {}, lambda _: None)
        return int(answer.headers["Content-Length"]) if answer.is_success else None

    def _send(
        self,
        method: str,
        url: str,
        object_name: str,
        body: Callable[..., FileBody],
        headers: Mapping[str, str],
        more_follows: bool = False,
        taken: Callable[..., FileBody] | None = None,
    ) -> Answer:
        """Send bytes to a signed URL; sent again they replace themselves, so they may be repeated.

        :param more_follows: whether the storage may say that it waits for more.
        :param taken: what the answer speaks of, with what came before; None: what is sent.
        """

        def attempt() -> Answer:
            is_hashed = taken is None and self._connector_id in self._session.with_digests
            bytes_of = body(is_hashed=is_hashed)
            answer = self._session.sender.send(method, url, headers=headers, body=bytes_of.all(), all_fields=True)
            # 308 is Google's way to say that it waits for more.
            if not answer.is_success and not (more_follows and answer.status == HTTPStatus.PERMANENT_REDIRECT):
                raise error_of(method, unsigned(url), answer)
            self._compare(answer, taken(is_hashed=False) if taken else bytes_of, object_name)
            return answer

        return repeat_transfer(attempts_of_storage(self._session), object_name, attempt)

    def _compare(self, answer: Answer, body: FileBody, object_name: str) -> None:
        """Compare the MD5 that the storage gives of what it took, if it gives one, and remember whether it does."""
        said = _digest(answer)
        if said is None:
            self._session.with_digests.discard(self._connector_id)
            return
        self._session.with_digests.add(self._connector_id)
        if said != base64.b64encode(body.digest()).decode():
            raise TransportError(f"object storage has other bytes of {object_name} than were sent")


@contextmanager
def _lent(threads: Semaphore, wanted: int) -> Iterator[int]:
    """Take as many threads as are wanted and can be had at once, and hand out their number."""
    count = 0
    try:
        while count < wanted and threads.acquire(blocking=False):
            count += 1
        yield count
    finally:
        if count:
            threads.release(count)


def part_ranges(size: int) -> Iterator[tuple[int, int]]:
    """Yield first byte and end of each part of a file of so many bytes."""
    for start in range(0, size, PART_SIZE):
        yield start, min(start + PART_SIZE, size)


def repeat_transfer(attempts: Attempts, name: str, attempt: Callable[[], _T]) -> _T:
    """Repeat an exchange with object storage.

    :param attempts: of the transfer that it is a stage of.
    :param name: of what is transferred, for the error.
    :raises TransferError: the storage refuses.
    """
    try:
        return attempts.repeat(attempt, repeatable=True)
    except ResponseError as error:
        raise TransferError(f"object storage refuses {name}: {error}", error.status) from error


def attempts_of_storage(session: Session) -> Attempts:
    """Return the attempts of one transfer: object storage says 500, too, when it should be asked again."""
    return Attempts(_policy_of_storage(session.retry), session.pause)


@lru_cache
def _policy_of_storage(policy: RetryPolicy) -> RetryPolicy:
    return replace(policy, statuses=policy.statuses | {HTTPStatus.INTERNAL_SERVER_ERROR})


def _form_head(boundary: str, fields: Mapping[str, str], filename: str) -> bytes:
    """Return a form up to the first byte of its file."""
    lines = []
    for name, value in fields.items():
        lines += [f"--{boundary}", f'Content-Disposition: form-data; name="{name}"', "", value]
    quoted = filename.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    lines += [f"--{boundary}", f'Content-Disposition: form-data; name="file"; filename="{quoted}"', "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")


def _digest(answer: Answer) -> str | None:
    """Return the MD5, in base64, that a storage gives of what it took; None: it gives none."""
    if any(name.lower().startswith(_ENCRYPTED) for name in answer.headers):
        # With keys of the user's own, ETags are no digests.
        return None
    said = answer.headers.get("Content-MD5")
    if said is not None:
        return said
    etag = answer.headers.get("ETag", "").strip('"').lower()
    return base64.b64encode(bytes.fromhex(etag)).decode() if _MD5.fullmatch(etag) else None


def _etag(answer: Answer, object_name: str) -> str:
    etag = answer.headers.get("ETag")
    if etag is None:
        raise TransferError(f"object storage took a part of {object_name} without naming its ETag")
    return etag
