"""Bring files into the lake."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_lake.exceptions import LakeUploadError, permanent_errors
from airflow_provider_lake.operators.base import LakeOperator
from airflow_provider_lake.operators.filepaths import SourceFile, find_files, local_copies
from airflow_provider_lake.operators.selection import as_names
from airflow_provider_lake.operators.upload_progress import UploadProgress

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_lake.client import Datalake, UploadError


class UploadDataOperator(LakeOperator):
    """Upload files as data, and wait until the lake has looked at each of them.

    All files are tried. When more than ``max_failures`` of them fail, the task fails and names them; else the summary
    does. On Airflow 3.3 a retry goes on where the last try came: it uploads nothing again but, after a killed process,
    at most the 256 files that were in work.

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
        tags = as_names(self.tags)
        with permanent_errors():
            metadata = _metadata_of_each(files, self.metadata)
            datalake = self.get_datalake()
            progress = UploadProgress.resume(
                context, str(datalake.id), list(map(str, files)), metadata, tags, self.source
            )
            for chunk in progress.chunks(len(files)):
                self._upload(
                    datalake, {place: files[place] for place in chunk}, [metadata[place] for place in chunk], progress
                )
                progress.save(context)
                self.log.info(
                    "%d of %d files uploaded, %d failed", progress.uploaded, len(files), progress.failure_count
                )
        self._judge(progress, len(files))
        seconds = round(time.monotonic() - started, 3)
        return {
            "datalake": datalake.name,
            **progress.summary(),
            "tags": tags,
            "source": self.source,
            "seconds": seconds,
        }

    def _upload(
        self,
        datalake: "Datalake",
        files: Mapping[int, SourceFile],
        metadata: Sequence[dict[str, Any]],
        progress: UploadProgress,
    ) -> None:
        """Upload some files, each under its place among all."""
        with local_copies(list(files.values())) as copies:
            places: dict[str, int] = {}
            of_each = []
            for place, copy, its_metadata in zip(files, copies, metadata, strict=True):
                if isinstance(copy, Path):
                    places[str(copy)] = place
                    of_each.append(its_metadata)
                else:
                    self._fail(progress, place, files[place], f"cannot be downloaded: {copy}", is_final=False)
            for error in self._upload_local(datalake, list(places), of_each, progress):
                place = places[error.path]
                self._fail(progress, place, files[place], error.message, is_final=_is_final(error))

    def _upload_local(
        self,
        datalake: "Datalake",
        paths: Sequence[str],
        metadata: Sequence[dict[str, Any]],
        progress: UploadProgress,
    ) -> "Sequence[UploadError]":
        """Upload local files, count the data, and return the errors."""
        from airflow_provider_lake.client import Data, ErrorManager, NothingDoneError

        errors = ErrorManager()
        if not paths:
            return []
        with suppress(NothingDoneError):  # the errors say why
            data = datalake.upload_data(
                list(paths),
                tags=list(as_names(self.tags)),
                source=self.source or None,
                max_workers=self.max_workers,
                error_manager=errors,
                metadata=list(metadata),
                fill_metadata=self.fill_metadata,
                wait_for_unprocessable_data=self.wait_for_unprocessable_data,
            )
            for each in [data] if isinstance(data, Data) else data:
                progress.add_data(str(each.id))
        return errors.errors

    def _fail(self, progress: UploadProgress, place: int, file: SourceFile, reason: str, *, is_final: bool) -> None:
        self.log.error("%s: %s", file, reason)
        progress.add_failure(place, str(file), reason, is_final=is_final)

    def _judge(self, progress: UploadProgress, count: int) -> None:
        allowed = self.max_failures * count if 0 < self.max_failures < 1 else self.max_failures
        if progress.failure_count > allowed:
            named = "\n".join(f"{failure['path']}: {failure['reason']}" for failure in progress.summary()["failures"])
            raise LakeUploadError(f"{progress.failure_count} of {count} files failed, the first of them:\n{named}")


def _is_final(error: "UploadError") -> bool:
    """Whether another try would fail alike: the file is there, and it is what the lake does not want."""
    from airflow_provider_lake.client import UnprocessableDataError

    return isinstance(error, UnprocessableDataError)


def _metadata_of_each(
    files: Sequence[SourceFile], metadata: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
) -> list[dict[str, Any]]:
    from airflow_provider_lake.client import UsageError

    if metadata is None or isinstance(metadata, Mapping):
        return [dict(metadata or {}) for _ in files]
    if len(metadata) != len(files):
        raise UsageError(f"metadata is given for {len(metadata)} files, but there are {len(files)}")
    return [dict(each) for each in metadata]
