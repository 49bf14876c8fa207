"""What tasks return, and what the events of their assets contain.

Operators, sensors and triggers build these, and ``arrived_data_ids`` and the ``summary`` argument read them. Summaries
are stored in Airflow's database as JSON: long lists are shortened, and counts say how many there were.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from airflow_provider_lake.arguments import read_path
from airflow_provider_lake.exceptions import LakeArgumentError

# The keys of a summary that an event contains: short values that are useful to the DAGs that the event starts.
EVENT_KEYS = (
    *("datalake", "datalake_id", "tags", "source", "prefixes", "processing", "query"),
    *("job_id", "status", "progress", "jobs"),
    *("attached", "detached", "projection"),
    *("data_ids", "manifest", "found", "left_out", "known_bad"),
    *("uploaded", "skipped", "failed", "data_count", "updated", "created", "count"),
)


class Failure(TypedDict):
    """Why a file, an object or a data failed."""

    path: str
    reason: str


class UploadCounts(TypedDict):
    """Results of an upload; ``failures`` and ``known_bad_files`` hold at most 100.

    ``data_ids`` are those of the uploaded data; None above 100.
    """

    uploaded: int
    skipped: int
    failed: int
    known_bad: int
    known_bad_files: list[Failure]
    failures: list[Failure]
    data_ids: list[str] | None


class UploadSummary(UploadCounts):
    """What ``UploadDataOperator`` returns."""

    datalake: str
    datalake_id: str
    left_out: dict[str, int]
    manifest: str | None
    tags: list[str]
    source: str | None
    seconds: float


class JobSummary(TypedDict):
    """State of a job; ``progress`` has its counts, and is None where the lake reports none."""

    job_id: str
    status: str
    progress: dict[str, int] | None


class JobsSummary(TypedDict):
    """What ``JobSensor`` returns."""

    jobs: list[JobSummary]


class ImportDetails(TypedDict):
    """What ``ImportBucketObjectsOperator`` returns in addition to its :class:`JobSummary`."""

    datalake: str
    datalake_id: str
    prefixes: list[str]
    tags: list[str]
    source: str | None


class ImportResult(TypedDict):
    """What it also returns once the job has ended; None: the lake does not report it."""

    found: dict[str, int] | None
    imported: int | None
    skipped: int | None
    failed: int | None
    left_out: dict[str, int] | None
    failures: list[Failure] | None


class ProcessingDetails(TypedDict):
    """What ``LaunchProcessingOperator`` returns in addition to its :class:`JobSummary`."""

    datalake: str
    processing: str
    data_count: int
    left_out: dict[str, int]


class UpdateSummary(TypedDict):
    """What ``UpdateDataOperator`` returns."""

    datalake: str
    data_count: int
    updated: int


class TagSummary(TypedDict):
    """What ``TagDataOperator`` returns."""

    datalake: str
    data_count: int
    attached: list[str]
    detached: list[str]


class DownloadCounts(TypedDict):
    """Results of a download; ``failures`` holds at most 100, ``bytes`` is the number of downloaded bytes."""

    data_count: int
    downloaded: int
    kept: int
    failed: int
    failures: list[Failure]
    bytes: int


class DownloadSummary(DownloadCounts):
    """What ``DownloadDataOperator`` returns."""

    datalake: str
    target: str
    left_out: dict[str, int]
    seconds: float


class ProjectionSummary(TypedDict):
    """What ``CreateProjectionOperator`` returns."""

    datalake: str
    projection: str
    data_count: int
    created: int
    kept: int
    missing: int
    failed: int
    failures: list[Failure]
    left_out: dict[str, int]
    seconds: float


class DataCountSummary(TypedDict):
    """What ``DataSensor`` returns."""

    datalake: str
    count: int
    tags: list[str]
    query: str | None


class ArrivalPayload(DataCountSummary):
    """Payload of the events of ``LakeDataTrigger``; ``data_ids`` are the ids of all ``count`` data."""

    datalake_id: str
    data_ids: list[str]


def to_event(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a summary that an asset's event contains, without values of None."""
    return {key: summary[key] for key in EVENT_KEYS if summary.get(key) is not None}


def payload_of(extra: Any) -> Any:
    """Return the summary in an event's ``extra``: the payload of a watcher's event, else all of ``extra``."""
    payload = extra.get("payload") if isinstance(extra, Mapping) else None
    return payload if isinstance(payload, Mapping) else extra


def data_ids(summary: Mapping[str, Any]) -> Iterable[str]:
    """Return the ids of the data that a summary or an event names; none where it names none.

    :raises LakeArgumentError: an upload of more than 100 data, without a manifest; a ``ValueError``.
    :raises LakePermanentError: the file is not a manifest.
    """
    if summary.get("data_ids") is not None:
        ids: Iterable[str] = summary["data_ids"]
        return ids
    if not summary.get("uploaded"):
        return ()
    path = read_path("summary", summary.get("manifest"))
    if path is None:
        raise LakeArgumentError(
            f"the summary of an upload of {summary['uploaded']} data does not name them: give that upload a manifest, "
            "or select by tags that it alone has given"
        )
    from airflow_provider_lake.files.manifest import UPLOADED, read_manifest

    return (line["data_id"] for line in read_manifest(path) if line["status"] == UPLOADED)
