"""Bring files into the lake."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_lake.exceptions import permanent_errors
from airflow_provider_lake.operators.base import LakeOperator
from airflow_provider_lake.operators.filepaths import SourceFile, find_files, local_copies
from airflow_provider_lake.operators.selection import as_names

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_lake.client import Data, Datalake, UploadError

# Files in work at a time: bounds the disk that copies of remote files take.
CHUNK_FILES = 256
# A summary travels through Airflow's database: longer lists are cut, and say so by their counts.
SUMMARY_ITEMS = 100


@dataclass(slots=True)
class _Tally:
    """What became of the files so far."""

    data: "list[Data]" = field(default_factory=list)
    failures: list[dict[str, str]] = field(default_factory=list)
    errors: "list[UploadError]" = field(default_factory=list)


class UploadDataOperator(LakeOperator):
    """Upload files as data, and wait until the lake has looked at each of them.

    All files are tried. When more than ``max_failures`` of them fail, the task fails and names them; else the summary
    does.

    Returns ``{"datalake", "uploaded", "failed", "failures": [{"path", "reason"}], "data_ids", "tags", "source",
    "seconds"}``; ``failures`` holds at most 100, ``data_ids`` is None above 100 data: select those by tag.

    :param filepaths: files, folders, glob patterns, and URLs such as ``s3://bucket/folder``, ``gs://…`` and
        ``file://…``, with ``conn_id@`` before the bucket where it needs a connection (templated). A folder means the
        images and videos anywhere below it.
    :param tags: names of data tags that each data gets, made when missing (templated).
    :param source: name of the data source of each data, made when missing (templated).
    :param metadata: for all files, or one mapping for each file in their order (templated).
    :param fill_metadata: add what the files' EXIF tells; what ``metadata`` gives wins.
    :param max_workers: files in transfer at the same time; None: processors plus 4.
    :param wait_for_unprocessable_data: wait for the lake to look at the data, so that a file that is no image counts as
        failed here and not later.
    :param max_failures: failed files that are still fine: a number, or as a float below 1 a share of all.
    """

    template_fields: Sequence[str] = (
        *LakeOperator.template_fields,
        "filepaths",
        "tags",
        "source",
        "metadata",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"metadata": "json"}

    def __init__(
        self,
        *,
        filepaths: str | Path | Sequence[str | Path],
        tags: str | Sequence[str] | None = None,
        source: str | None = None,
        metadata: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        fill_metadata: bool = False,
        max_workers: int | None = None,
        wait_for_unprocessable_data: bool = True,
        max_failures: float = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filepaths = filepaths
        self.tags = tags
        self.source = source
        self.metadata = metadata
        self.fill_metadata = fill_metadata
        self.max_workers = max_workers
        self.wait_for_unprocessable_data = wait_for_unprocessable_data
        self.max_failures = max_failures

    def execute(self, context: "Context") -> dict[str, Any]:
        """Upload the files and return what became of them."""
        started = time.monotonic()
        files = find_files(self.filepaths)
        with permanent_errors():
            metadata = _metadata_of_each(files, self.metadata)
            datalake = self.get_datalake()
            tally = _Tally()
            for start in range(0, len(files), CHUNK_FILES):
                chunk = slice(start, start + CHUNK_FILES)
                self._upload(datalake, files[chunk], metadata[chunk], tally)
                self.log.info("%d of %d files uploaded, %d failed", len(tally.data), len(files), len(tally.failures))
        self._judge(tally, len(files))
        return {
            "datalake": datalake.name,
            "uploaded": len(tally.data),
            "failed": len(tally.failures),
            "failures": tally.failures[:SUMMARY_ITEMS],
            "data_ids": [str(data.id) for data in tally.data] if len(tally.data) <= SUMMARY_ITEMS else None,
            "tags": as_names(self.tags),
            "source": self.source,
            "seconds": round(time.monotonic() - started, 3),
        }

    def _upload(
        self,
        datalake: "Datalake",
        files: Sequence[SourceFile],
        metadata: Sequence[dict[str, Any]],
        tally: _Tally,
    ) -> None:
        from airflow_provider_lake.client import Data, ErrorManager, NothingDoneError

        errors = ErrorManager()
        with local_copies(files) as local:
            try:
                data = datalake.upload_data(
                    list(local),
                    tags=list(as_names(self.tags)),
                    source=self.source or None,
                    max_workers=self.max_workers,
                    error_manager=errors,
                    metadata=list(metadata),
                    fill_metadata=self.fill_metadata,
                    wait_for_unprocessable_data=self.wait_for_unprocessable_data,
                )
                tally.data.extend([data] if isinstance(data, Data) else data)
            except NothingDoneError:
                self.log.warning("none of %d files could be uploaded", len(files))
            for error in errors.errors:
                # The user knows where a file is, not where its copy was.
                path = str(local.get(Path(error.path), error.path))
                self.log.error("%s: %s", path, error.message)
                tally.failures.append({"path": path, "reason": error.message})
                tally.errors.append(error)

    def _judge(self, tally: _Tally, count: int) -> None:
        from airflow_provider_lake.client import UploadFailedError

        allowed = self.max_failures * count if 0 < self.max_failures < 1 else self.max_failures
        if len(tally.failures) > allowed:
            raise UploadFailedError(tally.errors, tally.data)


def _metadata_of_each(
    files: Sequence[SourceFile], metadata: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
) -> list[dict[str, Any]]:
    from airflow_provider_lake.client import UsageError

    if metadata is None or isinstance(metadata, Mapping):
        return [dict(metadata or {}) for _ in files]
    if len(metadata) != len(files):
        raise UsageError(f"metadata is given for {len(metadata)} files, but there are {len(files)}")
    return [dict(each) for each in metadata]
