"""What the lake asks of a blob store.

Object names are keys as S3 knows them: relative, ``/`` between segments. A store says ``FileNotFoundError`` for absence
only and lets every other cause through.
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
    """A form upload that a client may do: a multipart/form-data POST of ``fields``, then the file."""

    url: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart upload, as its client reports it.

    :param number: from 1.
    :param etag: what the store answered to the part's PUT.
    """

    number: int
    etag: str


class BlobStore(Protocol):
    """Bytes under object names. ``base_url`` is the lake's own address, for stores whose URLs lead back to it."""

    client_type: str

    def with_prefix(self, prefix: str) -> "BlobStore":
        """Return the store of the objects whose keys begin with a prefix, named without it."""
        ...

    def stat(self, object_name: str) -> Blob:
        """Describe one object; ``FileNotFoundError`` where there is none."""
        ...

    def stat_many(self, object_names: Sequence[str]) -> list[Blob | None]:
        """Describe some objects in their order; None where there is none."""
        ...

    def open(self, object_name: str) -> BinaryIO:
        """Open one object for reading, seekable; ``FileNotFoundError`` where there is none."""
        ...

    def path_of(self, object_name: str) -> Path | None:
        """Return the file that an object is, whether there is one or not; None where it can be none."""
        ...

    def put(self, object_name: str, content: bytes, content_type: str) -> None:
        """Store an object of the lake's own, in place of what had its name."""
        ...

    def scan(self, prefix: str, after: str | None = None) -> Iterator[Blob]:
        """Yield the objects whose names begin with ``prefix`` in the order of their names, from behind ``after``."""
        ...

    def delete(self, object_name: str) -> None:
        """Remove one object; absence is fine."""
        ...

    def presign_get(self, object_name: str, base_url: str) -> str:
        """Sign a URL to download one object."""
        ...

    def presign_post(self, object_name: str, content_type: str, base_url: str) -> PresignedPost:
        """Sign a form to upload one object in one piece."""
        ...

    def start_multipart(self, object_name: str, content_type: str, upload_id: UUID) -> str:
        """Begin an upload in parts, which the lake knows by ``upload_id``; return the store's own id of it."""
        ...

    def presign_part(self, object_name: str, store_id: str, number: int, base_url: str) -> str:
        """Sign a URL to PUT one part."""
        ...

    def complete_multipart(self, object_name: str, store_id: str, parts: Sequence[Part]) -> Blob:
        """Join the parts into one object; ``ValueError`` where one is missing or differs. It may be repeated."""
        ...

    def abort_multipart(self, store_id: str) -> None:
        """Free what an upload in parts took, once its object is there."""
        ...
