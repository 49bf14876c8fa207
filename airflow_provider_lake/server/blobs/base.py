"""The interface of a blob store.

Object names are keys as on S3: relative, with ``/`` between segments. A store raises ``FileNotFoundError`` only for an
absent object, and lets every other error through.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import UUID

# As on S3.
MAX_FORM_BYTES = 5 << 30
MAX_PART_BYTES = 5 << 30


@dataclass(frozen=True, slots=True)
class Blob:
    """One stored object.

    :param object_name: its key.
    :param size: in bytes.
    """

    object_name: str
    size: int


@dataclass(frozen=True, slots=True)
class PresignedPost:
    """A presigned form upload: a multipart/form-data POST of ``fields``, followed by the file."""

    url: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart upload, as its client reports it.

    :param number: from 1.
    :param etag: from the response to the part's PUT.
    """

    number: int
    etag: str


class BlobStore(Protocol):
    """Stores bytes under object names. ``base_url`` is the lake's own, for presigned URLs to the lake itself."""

    client_type: str

    def with_prefix(self, prefix: str) -> "BlobStore":
        """Return the store of the objects whose keys start with a prefix; object names omit it."""
        ...

    def stat(self, object_name: str) -> Blob:
        """Describe one object; ``FileNotFoundError`` where there is none."""
        ...

    def stat_many(self, object_names: Sequence[str]) -> list[Blob | None]:
        """Describe several objects in their order; None for an absent one."""
        ...

    def open(self, object_name: str) -> BinaryIO:
        """Open one object for reading, seekable; ``FileNotFoundError`` where there is none."""
        ...

    def path_of(self, object_name: str) -> Path | None:
        """Return the local file of an object, existing or not; None if it cannot be a local file."""
        ...

    def put(self, object_name: str, content: bytes, content_type: str) -> None:
        """Store an object that the lake makes itself; it replaces one of the same name."""
        ...

    def scan(self, prefix: str, after: str | None = None) -> Iterator[Blob]:
        """Yield the objects below ``prefix`` in the order of their names, starting after ``after``."""
        ...

    def delete(self, object_name: str) -> None:
        """Remove one object; absence is fine."""
        ...

    def presign_get(self, object_name: str, base_url: str) -> str:
        """Return a presigned URL to download one object."""
        ...

    def presign_post(self, object_name: str, content_type: str, base_url: str) -> PresignedPost:
        """Return a presigned form to upload one object in one piece."""
        ...

    def start_multipart(self, object_name: str, content_type: str, upload_id: UUID) -> str:
        """Start a multipart upload, which the lake identifies by ``upload_id``; return the store's own id of it."""
        ...

    def presign_part(self, object_name: str, store_id: str, number: int, base_url: str) -> str:
        """Return a presigned URL to PUT one part."""
        ...

    def complete_multipart(self, object_name: str, store_id: str, parts: Sequence[Part]) -> Blob:
        """Join the parts into one object; ``ValueError`` where one is missing or differs. It may be repeated."""
        ...

    def abort_multipart(self, store_id: str) -> None:
        """Delete the parts of a multipart upload; its object, if it is complete, stays."""
        ...
