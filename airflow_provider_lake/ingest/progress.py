"""The progress of an upload: the counts for its summary, and the state from which a retry of the task resumes."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from airflow_provider_lake.files.manifest import FAILED, UPLOADED, is_done
from airflow_provider_lake.tasks.failures import MAX_SUMMARY_ITEMS
from airflow_provider_lake.tasks.fingerprints import fingerprint
from airflow_provider_lake.tasks.resume import is_first_try, load_record, save_record
from airflow_provider_lake.tasks.summaries import Failure, UploadCounts
from airflow_provider_lake.text.printable import to_printable

if TYPE_CHECKING:
    from hashlib import _Hash

    from airflow.sdk import Context

# Files in a chunk: limits the disk space for copies of remote files, and the work that a killed task repeats.
CHUNK_FILES = 256
# More failed files than this do not fit into Airflow's state store: a retry then starts from the beginning.
MAX_TO_RETRY = 5000
_KEY = "lake_upload"


@dataclass(slots=True)
class UploadProgress:
    """The results of the files so far. It is stored after every chunk (Airflow 3.3).

    :param fingerprint: of the values that define the upload: a retry resumes only if they are the same.
    :param tried: number of files that were tried, counted from the first.
    :param tried_paths: hash of their paths: files added after these do not change it.
    :param uploaded: number of files that became data.
    :param data_ids: ids of the first of these data.
    :param skipped: number of files that the lake already had.
    :param known_bad: number of skipped files whose data the lake could not process.
    :param known_bad_files: path and reason of the first of these.
    :param failed: number of files that would fail again, such as a file that is not an image.
    :param failures: path and reason of the first of these.
    :param to_retry: indexes of the files that may succeed in another try.
    :param retry_reasons: path and reason of the first of these.
    """

    fingerprint: str = ""
    tried: int = 0
    tried_paths: str = hashlib.sha256().hexdigest()
    uploaded: int = 0
    data_ids: list[str] = field(default_factory=list)
    skipped: int = 0
    known_bad: int = 0
    known_bad_files: list[Failure] = field(default_factory=list)
    failed: int = 0
    failures: list[Failure] = field(default_factory=list)
    to_retry: list[int] = field(default_factory=list)
    retry_reasons: list[Failure] = field(default_factory=list)

    @classmethod
    def resume(cls, context: "Context", paths: Sequence[str], *what: Any) -> Self:
        """Resume the progress of an earlier try of this task; a task that was cleared starts from the beginning.

        :param paths: the paths of all current files.
        :param what: all other values that define the upload, as JSON.
        """
        given = fingerprint(*what)
        record = load_record(context, _KEY)
        if record is None or record.get("fingerprint") != given or is_first_try(context):
            return cls(given)
        # Do not change the loaded record before the progress is saved.
        progress = cls(**deepcopy(record))
        return progress if progress.tried_paths == _hash_of(paths[: progress.tried]).hexdigest() else cls(given)

    def chunks(self, paths: Sequence[str]) -> Iterator[Sequence[int]]:
        """Yield the indexes of the files that are still to be tried, in chunks.

        :param paths: the paths of all files.
        """
        again, self.retry_reasons = list(self.to_retry), []
        for start in range(0, len(again), CHUNK_FILES):
            chunk = again[start : start + CHUNK_FILES]
            # Files that fail again are appended after the remaining ones.
            del self.to_retry[: len(chunk)]
            yield chunk
        tried = _hash_of(paths[: self.tried])
        while self.tried < len(paths):
            first, self.tried = self.tried, min(self.tried + CHUNK_FILES, len(paths))
            _hash_of(paths[first : self.tried], tried)
            self.tried_paths = tried.hexdigest()
            yield range(first, self.tried)

    def add(self, index: int, result: Mapping[str, Any]) -> None:
        """Count the result of a file.

        :param index: index of the file among all files.
        """
        failure: Failure = {"path": to_printable(result["path"]), "reason": to_printable(result["reason"] or "")}
        if result["status"] == UPLOADED:
            self.uploaded += 1
            _append(self.data_ids, result["data_id"])
        elif result["status"] != FAILED:
            self.skipped += 1
            if failure["reason"]:
                self.known_bad += 1
                _append(self.known_bad_files, failure)
        elif is_done(result):
            self.failed += 1
            _append(self.failures, failure)
        else:
            self.to_retry.append(index)
            _append(self.retry_reasons, failure)

    def save(self, context: "Context") -> None:
        """Store the progress for a retry of the task."""
        if len(self.to_retry) <= MAX_TO_RETRY:
            save_record(context, _KEY, asdict(self))

    @property
    def failure_count(self) -> int:
        """The number of all failed files."""
        return self.failed + len(self.to_retry)

    def summary(self) -> UploadCounts:
        """Return the counts of the task's summary."""
        return {
            "uploaded": self.uploaded,
            "skipped": self.skipped,
            "failed": self.failure_count,
            "known_bad": self.known_bad,
            "known_bad_files": self.known_bad_files,
            "failures": [*self.failures, *self.retry_reasons][:MAX_SUMMARY_ITEMS],
            "data_ids": self.data_ids if self.uploaded <= MAX_SUMMARY_ITEMS else None,
        }


def _hash_of(paths: Iterable[str], known: "_Hash | None" = None) -> "_Hash":
    """Hash paths, appended to those already in the hash."""
    result = hashlib.sha256() if known is None else known
    for path in paths:
        result.update(path.encode("utf-8", "surrogatepass") + b"\0")
    return result


def _append(items: list[Any], item: Any) -> None:
    if len(items) < MAX_SUMMARY_ITEMS:
        items.append(item)
