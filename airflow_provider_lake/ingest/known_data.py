"""Finds known data: data that the lake already has of some files."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_lake.client import Data, Datalake
    from airflow_provider_lake.files.source_files import SourceFile

# The platform's metadata field that stores a file's hash: the API has no checksum.
CONTENT_FIELD = "custom_id"
# Maximum number of hashes in one query: the query is part of a URL, which proxies limit to 8 KiB.
MAX_HASHES_PER_QUERY = 20
_HASH = "sha256:"
_HEX_DIGITS = 64
# Uncompressed formats: the file size depends on width and height only, not on the content.
_AMBIGUOUS_SIZE_SUFFIXES = frozenset({".bmp", ".tif", ".tiff", ".dib", ".ppm", ".pgm", ".pnm", ".tga", ".dng", ".raw"})


def content_id(sha256: str | None, version: str | None = None) -> dict[str, str]:
    """Return the metadata that store a hash, and the version of the hashed object; empty if there is no hash."""
    return {} if sha256 is None else {CONTENT_FIELD: " ".join(filter(None, [f"{_HASH}{sha256}", version]))}


def version_of(file: "SourceFile") -> str | None:
    """Return an identifier of an object's content, which changes whenever the object is overwritten; None: unknown.

    The ETag of a multipart upload is not a checksum, but for one key and size it differs for each content.
    """
    if file.etag is None or file.size is None:
        return None
    return hashlib.sha256(f"{file.key}\n{file.size}\n{file.etag}".encode("utf-8", "replace")).hexdigest()[:24]


def known_hash(data: "Data") -> str | None:
    """Return the SHA-256 that was stored with a data; None: there is none."""
    kept = str((data.metadata or {}).get(CONTENT_FIELD) or "")
    return kept.removeprefix(_HASH)[:_HEX_DIGITS] if kept.startswith(_HASH) else None


def known_version(data: "Data") -> str | None:
    """Return the version of the object from which a data was uploaded; None: it is not stored."""
    kept = str((data.metadata or {}).get(CONTENT_FIELD) or "")
    return kept.partition(" ")[2] or None if kept.startswith(_HASH) else None


def size_is_ambiguous(filename: str) -> bool:
    """Whether different files of this format usually have the same size."""
    return PurePosixPath(filename).suffix.lower() in _AMBIGUOUS_SIZE_SUFFIXES


def has_content(data: "Data", sha256: str) -> bool:
    """Download a data, and compare the SHA-256 of its bytes."""
    from airflow_provider_lake.client.transfers.download import save_as

    with TemporaryDirectory(prefix="lake-") as folder:
        path = Path(folder, "data")
        save_as(data, path)
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def by_object_name(datalake: "Datalake", names: Sequence[str]) -> "Mapping[str, Data]":
    """Find data by their object names."""
    return {data.object_name: data for data in datalake.iter_data(object_names=names)} if names else {}


def by_filename(datalake: "Datalake", names: Iterable[str], source: str | None) -> "Mapping[str, list[Data]]":
    """Find data by their filenames: processable data first, then the oldest first.

    :param source: name of the data source that the data must have; cameras reuse filenames for different photos.
    """
    query = f"data_source.name = {json.dumps(source, ensure_ascii=False)}" if source else None
    found: defaultdict[str, list[Data]] = defaultdict(list)
    for data in datalake.iter_data(filenames=list(dict.fromkeys(names)), q=query):
        found[data.filename].append(data)
    return {name: sorted(several, key=has_failed) for name, several in found.items()}


def by_content(datalake: "Datalake", hashes: Iterable[str]) -> "Mapping[str, Data]":
    """Find data by the SHA-256 of their bytes, if it was stored at their upload; processable data are preferred."""
    from airflow_provider_lake.client.transport.paging import chunks

    best: dict[str, Data] = {}
    for chunk in chunks(dict.fromkeys(hashes), MAX_HASHES_PER_QUERY):
        for data in datalake.iter_data(q=content_query(chunk)):
            key = known_hash(data) or ""
            if key not in best or (has_failed(best[key]) and not has_failed(data)):
                best[key] = data
    return best


def content_query(hashes: Iterable[str]) -> str:
    """Return the query for data with one of some hashes, regardless of the version that follows the hash.

    A range can use an index, while a case-insensitive prefix search scans all data. The text that follows a hash sorts
    before ``g``, the first letter that is not a hexadecimal digit, even in collations that ignore spaces.
    """
    field = f"metadata.{CONTENT_FIELD}"
    return " or ".join(f'{field} >= "{_HASH}{each}" and {field} < "{_HASH}{each}g"' for each in hashes)


def has_failed(data: "Data") -> bool:
    """Whether the lake could not process a data."""
    from airflow_provider_lake.client import UploadStatus

    return data.upload_status == UploadStatus.ERROR
