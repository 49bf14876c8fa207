"""Upload files as data of a datalake."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, get_args

from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_provider_lake.arguments import (
    check_constants,
    read_choice,
    read_flag,
    read_mappings,
    read_names,
    read_optional_count,
    read_path,
    read_paths,
    read_text,
)
from airflow_provider_lake.exceptions import LakeUploadError, permanent_errors
from airflow_provider_lake.files.manifest import FAILED
from airflow_provider_lake.files.search import FileSearch
from airflow_provider_lake.files.source_files import SourceFile
from airflow_provider_lake.ingest.checkpoint import UploadCheckpoint
from airflow_provider_lake.ingest.files import search_files
from airflow_provider_lake.ingest.known_data import CONTENT_FIELD
from airflow_provider_lake.ingest.manifest import Manifest
from airflow_provider_lake.ingest.upload import CHECK_FILES, CheckFiles, FileUpload, IfExists, TaskFile
from airflow_provider_lake.operators.base import LakeOperator
from airflow_provider_lake.tasks.failures import check_failure_count, check_max_failures
from airflow_provider_lake.tasks.resume import is_last_try, run_started_at
from airflow_provider_lake.tasks.summaries import UploadSummary
from airflow_provider_lake.text.printable import one_line

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_lake.client import Datalake


class UploadDataOperator(LakeOperator):
    """Upload files as data, and wait until the lake has processed each of them.

    The task tries all files; a named file that is missing counts as failed. If more than ``max_failures`` files fail,
    the task fails and names them; otherwise the summary names them. A retry continues where the last try stopped, even
    if its process was killed, and uploads nothing twice: on Airflow 3.3, and on every version with a ``manifest`` or
    with ``if_exists``.

    Returns ``{"datalake", "datalake_id", "uploaded", "skipped", "failed", "failures": [{"path", "reason"}],
    "known_bad", "known_bad_files": [{"path", "reason"}], "data_ids", "left_out": {reason: count}, "manifest", "tags",
    "source", "seconds"}``; ``failures`` and ``known_bad_files`` hold at most 100; ``known_bad`` counts the skipped
    files that the lake already had and could not process;
    ``data_ids`` (of uploaded files, not of skipped ones) is None above 100 data: the manifest has all of them.
    ``left_out`` counts what was found in folders but not uploaded: files that are neither images nor videos, by suffix,
    hidden files and folders, folder markers, dangling links, duplicate links to the same file, unreadable folders
    (which also count as failures).

    :param filepaths: files, folders, glob patterns, and URLs such as ``s3://bucket/folder``, ``gs://…`` and
        ``file://…``, with ``conn_id@`` before the bucket if it needs a connection (templated). A folder means all
        images and videos anywhere below it, and links are followed. A name with wildcards is a pattern only if no file
        or folder has exactly that name.
    :param tags: names of data tags that each data gets, created if missing (templated).
    :param source: name of the data source of each data, created if missing (templated).
    :param metadata: one mapping for all files, or one for each file in their order (templated).
    :param fill_metadata: add metadata from the files' EXIF; values in ``metadata`` take precedence.
    :param max_workers: number of concurrent transfers; None: starts with 2, and grows up to 128 while most of the time
        is spent waiting for the lake.
    :param wait_for_unprocessable_data: wait until the lake has processed the data, so that a file that is not an image
        counts as failed in this task instead of later.
    :param check_files: ``"decode"``: decode each file completely before its upload; a truncated or corrupt file counts
        as failed. ``"header"``: the lake reads headers only.
    :param if_exists: ``"upload"`` uploads every file, once per run. ``"skip"`` skips files if the datalake has data
        with the same filename, and with the same ``source`` if one is given; different files of one name, of this or of
        an earlier task, are all uploaded. ``"skip_content"`` skips files if the datalake has their bytes under any
        name, provided that these were uploaded with one of these two options, which store the SHA-256 in the metadata
        field ``custom_id``. The data of a skipped file are not changed. If the lake could not process them, the file
        counts as skipped and as known to be bad.
    :param max_failures: number of failed files that the task tolerates, or as a float from 0 to 1 their share of all.
    :param manifest: path or URL of a file to which the result of each file is written, as JSON lines (templated); a
        mapped task adds its map index before the suffix. Each task needs its own: ``s3://bucket/{{ run_id }}.jsonl``.
    :param skip_if_empty: skip the task if no file is found, and ignore folders and patterns without files; otherwise
        these fail. A named file that is missing always counts as failed.
    """

    template_fields: Sequence[str] = (
        *LakeOperator.template_fields,
        "filepaths",
        "tags",
        "source",
        "metadata",
        "manifest",
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
        check_files: CheckFiles = "header",
        if_exists: IfExists = "upload",
        max_failures: float = 0,
        manifest: str | Path | None = None,
        skip_if_empty: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filepaths = filepaths
        self.tags = tags
        self.source = source
        self.metadata = metadata
        self.fill_metadata = read_flag("fill_metadata", fill_metadata)
        self.max_workers = read_optional_count("max_workers", max_workers)
        self.wait_for_unprocessable_data = read_flag("wait_for_unprocessable_data", wait_for_unprocessable_data)
        self.check_files = read_choice("check_files", check_files, CHECK_FILES)
        self.if_exists = read_choice("if_exists", if_exists, get_args(IfExists))
        self.max_failures = check_max_failures(max_failures)
        self.manifest = manifest
        self.skip_if_empty = read_flag("skip_if_empty", skip_if_empty)
        check_constants(read_paths, filepaths=filepaths)
        check_constants(read_names, tags=tags)
        check_constants(read_text, source=source)
        check_constants(read_mappings, metadata=metadata)
        check_constants(read_path, manifest=manifest)

    def execute(self, context: "Context") -> dict[str, Any]:
        """Upload the files and return the summary."""
        started, since = time.monotonic(), run_started_at(context)
        tags, source = read_names("tags", self.tags), read_text("source", self.source)
        given_metadata, url = read_mappings("metadata", self.metadata), read_path("manifest", self.manifest)
        search = search_files(self.filepaths)
        files = self._files_to_try(search)
        with permanent_errors():
            metadata = _metadata_of_each(files, given_metadata)
            self._require_free_content_field(metadata)
            datalake = self.get_datalake()
            paths = list(map(str, files))
            what = (str(datalake.id), given_metadata, tags, source, self.fill_metadata)
            manifest = None if url is None else Manifest(url, context, *what)
            checkpoint = UploadCheckpoint(context, manifest, paths, *what)
            self._upload(datalake, checkpoint, files, metadata, since)
        progress = checkpoint.progress
        if manifest is not None:
            manifest.finish(frozenset(paths))
            self.log.info("What became of each file: %s", manifest.url)
        summary = progress.summary()
        try:
            check_failure_count(
                self.max_failures, progress.failure_count, len(files), summary["failures"], LakeUploadError
            )
        except LakeUploadError:
            if manifest is not None and is_last_try(context):
                manifest.clear_started()
            raise
        if manifest is not None:
            manifest.clear_started()
        result: UploadSummary = {
            "datalake": datalake.name,
            "datalake_id": str(datalake.id),
            **summary,
            "left_out": search.left_out.summary(),
            "manifest": None if manifest is None else manifest.url,
            "tags": tags,
            "source": source,
            "seconds": round(time.monotonic() - started, 3),
        }
        return self.report(result)

    def _files_to_try(self, search: FileSearch) -> list[SourceFile]:
        """Return the files to try, including empty folders and patterns, which will fail, unless they are ignored."""
        if search.files and self.skip_if_empty:
            for each in search.empty:
                self.log.info("%s: %s", one_line(each.path), each.error)
            return search.files
        if search.files:
            return [*search.files, *search.empty]
        if self.skip_if_empty and search.empty:
            raise AirflowSkipException(search.describe(search.empty))
        raise FileNotFoundError(search.describe(search.empty))

    def _upload(
        self,
        datalake: "Datalake",
        checkpoint: UploadCheckpoint,
        files: Sequence[SourceFile],
        metadata: Sequence[dict[str, Any]],
        since: datetime,
    ) -> None:
        """Upload the files that no earlier try has finished."""
        names = Counter(file.name for file in files)
        upload = FileUpload(datalake, checkpoint, self._options(), self.if_exists, names, since)
        progress = checkpoint.progress
        for chunk in progress.chunks([str(file) for file in files]):
            results = upload.upload([TaskFile(index, files[index], metadata[index]) for index in chunk])
            checkpoint.save_results(results)
            for result in results.values():
                if result["reason"] is not None:
                    log = self.log.error if result["status"] == FAILED else self.log.warning
                    log("%s: %s", one_line(result["path"]), one_line(result["reason"]))
            self.log.info(
                "%d of %d files uploaded, %d were there already, %d of them known to be bad",
                progress.uploaded,
                len(files),
                progress.skipped,
                progress.known_bad,
            )

    def _options(self) -> dict[str, Any]:
        """Return the client's options that are the same for all files."""
        return {
            "tags": read_names("tags", self.tags),
            "source": read_text("source", self.source),
            "max_workers": self.max_workers,
            "fill_metadata": self.fill_metadata,
            "wait_for_unprocessable_data": self.wait_for_unprocessable_data,
            "check_files": self.check_files,
        }

    def _require_free_content_field(self, metadata: Sequence[Mapping[str, Any]]) -> None:
        from airflow_provider_lake.client import UsageError

        if self.if_exists == "skip_content" and any(CONTENT_FIELD in each for each in metadata):
            raise UsageError(
                f"metadata has a value for {CONTENT_FIELD}, where if_exists='skip_content' keeps the hash of each file"
            )


def _metadata_of_each(
    files: Sequence[SourceFile], metadata: dict[str, Any] | list[dict[str, Any]] | None
) -> list[dict[str, Any]]:
    from airflow_provider_lake.client import UsageError

    if not isinstance(metadata, list):
        return [dict(metadata or {}) for _ in files]
    if len(metadata) != len(files):
        raise UsageError(f"metadata is given for {len(metadata)} files, but there are {len(files)}")
    return metadata
