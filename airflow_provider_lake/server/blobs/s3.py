"""A blob store in a bucket of S3 or a compatible storage; clients transfer bytes directly to and from the storage.

Endpoint, region and credentials are found by boto3's own rules: ``AWS_ENDPOINT_URL_S3``, ``AWS_ACCESS_KEY_ID``,
``AWS_PROFILE`` and so on.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from io import BytesIO
from typing import Any, BinaryIO, Self
from urllib.parse import quote
from uuid import UUID

import boto3
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from airflow_provider_lake.server.blobs.base import MAX_FORM_BYTES, Blob, Part, PresignedPost
from airflow_provider_lake.server.blobs.names import RESERVED
from airflow_provider_lake.server.blobs.ranged import READ_AHEAD, open_ranged
from airflow_provider_lake.server.errors import BadRequestError, UnavailableError

_CONFIG = Config(
    signature_version="s3v4",
    connect_timeout=5,
    read_timeout=30,
    # Shared by all threads that serve requests or read objects.
    max_pool_connections=64,
    retries={"mode": "standard", "total_max_attempts": 3},
)
_MAX_HEAD_REQUESTS = 16
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ABSENT = frozenset({"404", "NoSuchKey"})
_WRONG_PARTS = frozenset({"EntityTooSmall", "InvalidPart", "InvalidPartOrder", "NoSuchUpload"})
# S3 replaces this with the name of the uploaded file.
_FILENAME = "${filename}"
_KEY = "key"


class DownloadSigner:
    """Signs URLs to download objects of one bucket; a page of data has a thousand of them.

    ``generate_presigned_url`` would resolve the endpoint and prepare a request for each URL. That is done once here,
    and each URL is only signed.

    :param client: boto3's client of the storage.
    :param credentials: boto3's credentials, which may renew themselves.
    :param lifetime: how long a URL is valid.
    """

    def __init__(self, client: Any, bucket: str, credentials: Any, lifetime: timedelta) -> None:
        prepared = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": _KEY})
        self._base = prepared.partition("?")[0].removesuffix(_KEY)
        self._region = client.meta.region_name
        self._credentials = credentials
        self._lifetime = int(lifetime.total_seconds())

    def sign(self, key: str) -> str:
        """Return a URL to download the object of a key."""
        request = AWSRequest("GET", self._base + quote(key, safe="/~"))
        credentials = self._credentials.get_frozen_credentials()
        S3SigV4QueryAuth(credentials, "s3", self._region, expires=self._lifetime).add_auth(request)
        url: str = request.url
        return url


class S3Store:
    """Objects of one bucket below one prefix.

    :param client: boto3's client of the storage.
    :param prefix: prefix of the keys of all objects.
    :param lifetime: how long a presigned URL is valid.
    :param max_form_bytes: the largest object that a presigned form accepts.
    :param downloads: signs downloads; None: boto3 does, more slowly.
    """

    client_type = "aws"

    def __init__(
        self,
        client: Any,
        bucket: str,
        prefix: str,
        lifetime: timedelta,
        max_form_bytes: int = MAX_FORM_BYTES,
        downloads: DownloadSigner | None = None,
    ) -> None:
        self.client = client
        self.bucket = bucket
        self.prefix = prefix
        self._lifetime = int(lifetime.total_seconds())
        self._max_form_bytes = max_form_bytes
        self._downloads = downloads

    @classmethod
    def from_url(cls, url: str, lifetime: timedelta) -> Self:
        """Return the store of an ``s3://bucket/prefix``.

        :raises ValueError: the URL does not have that form, or the boto3 configuration is invalid.
        """
        # Keys may contain characters that are special in other URLs: ?, # and %.
        scheme, _, place = url.partition("://")
        bucket, _, path = place.partition("/")
        if scheme != "s3" or not _BUCKET.fullmatch(bucket):
            raise ValueError(f"{url!r} is no storage: it must be s3://BUCKET or s3://BUCKET/PREFIX")
        prefix = path.strip("/")
        try:
            session = boto3.Session()
            client, credentials = session.client("s3", config=_CONFIG), session.get_credentials()
            downloads = credentials and DownloadSigner(client, bucket, credentials, lifetime)
        except BotoCoreError as error:
            raise ValueError(str(error)) from error
        return cls(client, bucket, f"{prefix}/" if prefix else "", lifetime, downloads=downloads)

    def with_prefix(self, prefix: str) -> "S3Store":
        """Return the store of the objects whose keys start with a prefix; object names omit it."""
        lifetime = timedelta(seconds=self._lifetime)
        return S3Store(self.client, self.bucket, self.prefix + prefix, lifetime, self._max_form_bytes, self._downloads)

    def check(self) -> None:
        """Check that the bucket is usable.

        :raises UnavailableError: it does not exist, cannot be reached, or refuses the credentials.
        """
        with self._storage_errors():
            self.client.list_objects_v2(Bucket=self.bucket, Prefix=self.prefix, MaxKeys=1)

    def stat(self, object_name: str) -> Blob:
        """Describe one object; ``FileNotFoundError`` where there is none."""
        with self._storage_errors(object_name):
            found = self.client.head_object(**self._address(object_name))
        return Blob(object_name, found["ContentLength"])

    def stat_many(self, object_names: Sequence[str]) -> list[Blob | None]:
        """Describe several objects in their order, several at the same time; None for an absent one."""
        with ThreadPoolExecutor(_MAX_HEAD_REQUESTS) as pool:
            return list(pool.map(self._find, object_names))

    def open(self, object_name: str) -> BinaryIO:
        """Open one object for reading; ``FileNotFoundError`` where there is none. Fetches only ranges that are read."""
        with self._storage_errors(object_name):
            try:
                response = self.client.get_object(**self._address(object_name), Range=f"bytes=0-{READ_AHEAD - 1}")
            except ClientError as error:
                if _code(error) != "InvalidRange":
                    raise
                return BytesIO()  # an empty object has no range
            beginning = response["Body"].read()
        size = int(response["ContentRange"].rpartition("/")[2])
        return open_ranged(partial(self._read, object_name), beginning, size)

    def path_of(self, _object_name: str) -> None:
        """Return None: objects are not local files here."""

    def put(self, object_name: str, content: bytes, content_type: str) -> None:
        """Store an object that the lake makes itself; it replaces one of the same name."""
        with self._storage_errors():
            self.client.put_object(**self._address(object_name), Body=content, ContentType=content_type)

    def scan(self, prefix: str, after: str | None = None) -> Iterator[Blob]:
        """Yield the objects whose names start with ``prefix`` in the order of their names, starting after ``after``.

        Keys that end with a slash are left out: S3 consoles create them to show folders.
        """
        start = {} if after is None else {"StartAfter": self._key(after)}
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=self._key(prefix), **start
        )
        with self._storage_errors():
            for found in (found for page in pages for found in page.get("Contents", ())):
                name = found["Key"].removeprefix(self.prefix)
                if name.startswith(f"{RESERVED}/"):
                    # A reserved key, and thousands may follow: continue after all of them.
                    yield from self.scan(prefix, f"{RESERVED}/~")
                    return
                if not name.endswith("/"):
                    yield Blob(name, found["Size"])

    def delete(self, object_name: str) -> None:
        """Remove one object; absence is fine."""
        with self._storage_errors():
            self.client.delete_object(**self._address(object_name))

    def presign_get(self, object_name: str, base_url: str) -> str:
        """Return a presigned URL to download one object."""
        if self._downloads is not None:
            return self._downloads.sign(self._key(object_name))
        return self._presign("get_object", self._address(object_name))

    def presign_post(self, object_name: str, content_type: str, base_url: str) -> PresignedPost:
        """Return a presigned form to upload one object in one piece; the client adds the field ``Content-Type``.

        :raises BadRequestError: the storage would give the object another name.
        """
        if _FILENAME in object_name:
            raise BadRequestError(f"the object name {object_name!r} has a {_FILENAME}, which the storage replaces")
        conditions = [{"Content-Type": content_type}, ["content-length-range", 0, self._max_form_bytes]]
        with self._storage_errors():
            form = self.client.generate_presigned_post(
                **self._address(object_name), Conditions=conditions, ExpiresIn=self._lifetime
            )
        return PresignedPost(form["url"], form["fields"])

    def start_multipart(self, object_name: str, content_type: str, upload_id: UUID) -> str:
        """Start a multipart upload; return the storage's own id of it."""
        with self._storage_errors():
            begun = self.client.create_multipart_upload(**self._address(object_name), ContentType=content_type)
        return str(begun["UploadId"])

    def presign_part(self, object_name: str, store_id: str, number: int, base_url: str) -> str:
        """Return a presigned URL to PUT one part."""
        part = {**self._address(object_name), "UploadId": store_id, "PartNumber": number}
        return self._presign("upload_part", part)

    def complete_multipart(self, object_name: str, store_id: str, parts: Sequence[Part]) -> Blob:
        """Join the parts into one object; ``ValueError`` where one is missing or differs. It may be repeated."""
        listed = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
        with self._storage_errors():
            try:
                self.client.complete_multipart_upload(
                    **self._address(object_name), UploadId=store_id, MultipartUpload={"Parts": listed}
                )
            except ClientError as error:
                # They may have been joined before, and the lake have stopped before it recorded that.
                if self._etag(object_name) != _joined_etag(parts):
                    if _code(error) in _WRONG_PARTS:
                        raise ValueError(f"the storage cannot join the parts: {_code(error)}") from error
                    raise
        return self.stat(object_name)

    def abort_multipart(self, store_id: str) -> None:
        """Do nothing: the storage deletes the parts by itself."""

    def _etag(self, object_name: str) -> str | None:
        try:
            with self._storage_errors(object_name):
                found: str = self.client.head_object(**self._address(object_name))["ETag"]
        except FileNotFoundError:
            return None
        return found.strip('"')

    def _find(self, object_name: str) -> Blob | None:
        try:
            return self.stat(object_name)
        except FileNotFoundError:
            return None

    def _key(self, object_name: str) -> str:
        return f"{self.prefix}{object_name}"

    def _address(self, object_name: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self._key(object_name)}

    def _read(self, object_name: str, first: int, count: int) -> bytes:
        with self._storage_errors(object_name):
            wanted = f"bytes={first}-{first + count - 1}"
            response = self.client.get_object(**self._address(object_name), Range=wanted)
            content: bytes = response["Body"].read()
        return content

    def _presign(self, operation: str, parameters: dict[str, Any]) -> str:
        with self._storage_errors():
            url: str = self.client.generate_presigned_url(operation, Params=parameters, ExpiresIn=self._lifetime)
        return url

    @contextmanager
    def _storage_errors(self, object_name: str | None = None) -> Iterator[None]:
        """Convert boto3's errors: ``FileNotFoundError`` for an absent object, ``UnavailableError`` for all others."""
        try:
            yield
        except ClientError as error:
            if object_name is not None and _code(error) in _ABSENT:
                raise FileNotFoundError(object_name) from error
            raise UnavailableError(f"the storage s3://{self.bucket} refuses: {_code(error)}") from error
        except BotoCoreError as error:
            reason = " ".join(str(error).split())
            raise UnavailableError(f"the storage s3://{self.bucket} cannot be used: {reason}") from error


def _joined_etag(parts: Sequence[Part]) -> str | None:
    """Return the ETag that S3 gives an object joined from parts: the digest of their digests, and their number."""
    try:
        digests = b"".join(bytes.fromhex(part.etag.strip('"')) for part in parts)
    except ValueError:
        return None
    return f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"


def _code(error: ClientError) -> str:
    code: str = error.response["Error"]["Code"]
    return code
