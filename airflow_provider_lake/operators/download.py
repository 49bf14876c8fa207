"""Download data of the lake as files."""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow_provider_lake.arguments import (
    check_constants,
    read_choice,
    read_flag,
    read_optional_count,
    read_path,
)
from airflow_provider_lake.exceptions import LakeArgumentError, LakeDownloadError, permanent_errors
from airflow_provider_lake.files.targets import Target
from airflow_provider_lake.operators.base_data import DataSelectingOperator
from airflow_provider_lake.tasks.failures import MAX_SUMMARY_ITEMS, check_failure_count, check_max_failures
from airflow_provider_lake.tasks.summaries import DownloadCounts, DownloadSummary, Failure

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_lake.client import Data

NameBy = Literal["filename", "id"]
PAGE_SIZE = 256


class DownloadDataOperator(DataSelectingOperator):
    """Save the selected data as files in a folder or an object storage.

    The arguments of :class:`DataSelectingOperator` select the data. A file appears under its name only once it is
    complete and has the size that the lake has stored. An existing file of that name and size is kept, so that a retry
    continues where the last try stopped. If several data have the same filename, the id is appended to all but the
    first.

    Returns ``{"datalake", "target", "data_count", "downloaded", "kept", "failed", "failures": [{"path", "reason"}],
    "bytes", "left_out": {reason: count}, "seconds"}``; ``failures`` holds at most 100, ``bytes`` counts only downloaded
    bytes, ``left_out`` counts the selected data that the lake has not finished.

    :param target: folder, created if missing, or URL such as ``s3://conn_id@bucket/folder`` (templated).
    :param name_by: ``"filename"``, or ``"id"`` to name each file by the data's id with the extension of its filename.
    :param overwrite: replace an existing file of that name with another size; otherwise the data counts as failed.
    :param max_workers: number of concurrent transfers; None: processors plus 4.
    :param max_failures: number of failed data that the task tolerates, or as a float from 0 to 1 their share of all.
    """

    template_fields: Sequence[str] = (*DataSelectingOperator.template_fields, "target")
    is_read_only = True
    only_done_by_default = True

    def __init__(
        self,
        *,
        target: str | Path,
        name_by: NameBy = "filename",
        overwrite: bool = False,
        max_workers: int | None = None,
        max_failures: float = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.target = target
        self.name_by = read_choice("name_by", name_by, get_args(NameBy))
        self.overwrite = read_flag("overwrite", overwrite)
        self.max_workers = read_optional_count("max_workers", max_workers)
        self.max_failures = check_max_failures(max_failures)
        check_constants(read_path, target=target)

    def execute(self, context: "Context") -> dict[str, Any]:
        """Download the data and return the summary."""
        from airflow_provider_lake.client.concurrency.cancellation import cancellable_executor
        from airflow_provider_lake.client.transport.paging import chunks

        started = time.monotonic()
        url = read_path("target", self.target)
        if url is None:
            raise LakeArgumentError("target is None, which names nothing: give a folder or a URL")
        target = Target.at(url)
        # Fail on a folder that cannot be written before anything is downloaded.
        target.make_folder()
        download = _Download(overwrite=self.overwrite)
        with permanent_errors():
            datalake = self.get_datalake()
            named = _named(self.select_data(datalake), target, self.name_by)
            with cancellable_executor(self.max_workers or (os.cpu_count() or 1) + 4, "lake-download") as pool:
                for page in chunks(named, PAGE_SIZE):
                    for outcome in pool.map(download.save, page):
                        download.count(outcome)
                    self.log.info("%s", download)
        check_failure_count(
            self.max_failures, download.failed, download.data_count, download.failures, LakeDownloadError
        )
        result: DownloadSummary = {
            "datalake": datalake.name,
            "target": url,
            **download.summary(),
            "left_out": dict(self.left_out),
            "seconds": round(time.monotonic() - started, 3),
        }
        return self.report(result)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The result for one data; ``size`` is None if the file already existed."""

    path: str
    size: int | None = None
    reason: str | None = None


@dataclass(slots=True)
class _Download:
    overwrite: bool
    downloaded: int = 0
    existing: int = 0
    failed: int = 0
    bytes: int = 0
    failures: list[Failure] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.downloaded} data downloaded, {self.existing} were there, {self.failed} failed"

    @property
    def data_count(self) -> int:
        return self.downloaded + self.existing + self.failed

    def save(self, named: "tuple[Data, Target]") -> _Outcome:
        """Save one data; an error of the target, unlike one of the data, fails the task."""
        from airflow_provider_lake.client import LakeError

        data, target = named
        try:
            return _Outcome(target.url, self._save(data, target))
        except LakeError as error:
            return _Outcome(target.url, reason=str(error))

    def count(self, outcome: _Outcome) -> None:
        if outcome.reason is not None:
            self.failed += 1
            if len(self.failures) < MAX_SUMMARY_ITEMS:
                self.failures.append({"path": outcome.path, "reason": outcome.reason})
        elif outcome.size is None:
            self.existing += 1
        else:
            self.downloaded += 1
            self.bytes += outcome.size

    def summary(self) -> DownloadCounts:
        return {
            "data_count": self.data_count,
            "downloaded": self.downloaded,
            "kept": self.existing,
            "failed": self.failed,
            "failures": self.failures,
            "bytes": self.bytes,
        }

    def _save(self, data: "Data", target: Target) -> int | None:
        """Return the number of downloaded bytes; None: the file already existed."""
        from airflow_provider_lake.client import TransferError
        from airflow_provider_lake.client.transfers.download import save_as

        try:
            present = target.size()
        except IsADirectoryError as error:
            raise TransferError("there is a folder of that name") from error
        if present is not None and data.file_size is not None:
            if present == data.file_size:
                return None
            self._check_overwrite(present, data.file_size)
        with target.writing() as path:
            save_as(data, path)
            size = path.stat().st_size
            if data.file_size not in {None, size}:
                raise TransferError(f"has {size} bytes where the lake knows of {data.file_size}")
            if present not in {None, size}:
                self._check_overwrite(present, size)
        return size

    def _check_overwrite(self, present: int | None, wanted: int) -> None:
        from airflow_provider_lake.client import TransferError

        if not self.overwrite:
            raise TransferError(
                f"there is a file of that name with {present} bytes, not {wanted}; overwrite is not set"
            )


def _named(data: "Iterator[Data]", target: Target, name_by: NameBy) -> "Iterator[tuple[Data, Target]]":
    """Yield the data with their target files, which all differ."""
    from airflow_provider_lake.client.transfers.local_names import distinct_names

    for each, name in distinct_names(data, name_by == "id"):
        yield each, target.child(name)
