"""Which of some files the lake has already."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_lake.client import Data, Datalake

# The platform's own metadata field that holds a file's hash: the wire knows no checksum.
CONTENT_FIELD = "custom_id"
# How many hashes one query asks for: it travels in a URL, of which a proxy takes 8 KiB.
HASHES_A_QUERY = 50


def content_id(sha256: str | None) -> dict[str, str]:
    """Return the metadata that hold a hash; empty where there is none."""
    return {} if sha256 is None else {CONTENT_FIELD: f"sha256:{sha256}"}


def by_object_name(datalake: "Datalake", names: Sequence[str]) -> "Mapping[str, Data]":
    """Find data by their object names."""
    return {data.object_name: data for data in datalake.iter_data(object_names=names)} if names else {}


def by_filename(datalake: "Datalake", names: Sequence[str], source: str | None) -> "Mapping[str, Data]":
    """Find data by their filenames; of several, the oldest that the lake could process.

    :param source: name of the data source that they must be of; cameras give the same names to different photos.
    """
    query = f"data_source.name = {json.dumps(source, ensure_ascii=False)}" if source else None
    return _best((data.filename, data) for data in datalake.iter_data(filenames=names, q=query))


def by_content(datalake: "Datalake", hashes: Sequence[str], _source: str | None) -> "Mapping[str, Data]":
    """Find data by the SHA-256 of their bytes, if they were uploaded with it."""
    from airflow_provider_lake.client.paging import chunks

    found: list[tuple[str, Data]] = []
    for some in chunks(dict.fromkeys(hashes), HASHES_A_QUERY):
        ids = {content_id(sha256)[CONTENT_FIELD]: sha256 for sha256 in some}
        query = f"metadata.{CONTENT_FIELD} in ({','.join(map(json.dumps, ids))})"
        found += [(ids[(data.metadata or {})[CONTENT_FIELD]], data) for data in datalake.iter_data(q=query)]
    return _best(found)


def _best(found: "Iterable[tuple[str, Data]]") -> "dict[str, Data]":
    """Keep one data for each key: the first, unless only a later one could be processed."""
    best: dict[str, Data] = {}
    for key, data in found:
        if key not in best or (_is_broken(best[key]) and not _is_broken(data)):
            best[key] = data
    return best


def _is_broken(data: "Data") -> bool:
    from airflow_provider_lake.client import UploadStatus

    return data.upload_status == UploadStatus.ERROR
