"""Uploads files of a task: skips those that the lake has, uploads the rest, and returns the result of each."""

import hashlib
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from airflow_provider_lake.files.manifest import FAILED, SKIPPED, UPLOADED, Result
from airflow_provider_lake.files.source_files import SourceFile
from airflow_provider_lake.ingest.checkpoint import UploadCheckpoint
from airflow_provider_lake.ingest.files import local_copies
from airflow_provider_lake.ingest.known_data import (
    by_content,
    by_filename,
    by_object_name,
    content_id,
    has_content,
    has_failed,
    known_hash,
    known_version,
    size_is_ambiguous,
    version_of,
)
from airflow_provider_lake.text.printable import UNDECODABLE_NAME, is_decodable

if TYPE_CHECKING:
    from io import BufferedReader

    from airflow_provider_lake.client import Data, Datalake, FileError, UploadError

IfExists = Literal["upload", "skip", "skip_content"]
CheckFiles = Literal["header", "decode"]
CHECK_FILES: Sequence[CheckFiles] = get_args(CheckFiles)
MAX_READERS = 4


@dataclass(frozen=True, slots=True)
class TaskFile:
    """A file of a task, and what is known about it so far.

    :param index: index among all files of the task.
    :param local_path: path of its bytes on this machine; None: not downloaded yet.
    :param sha256: of its bytes, in hex.
    :param stat: its size and modification time when it was hashed.
    """

    index: int
    source: SourceFile
    metadata: dict[str, Any]
    local_path: Path | None = None
    sha256: str | None = None
    stat: tuple[int, int] | None = None

    @property
    def filename(self) -> str:
        """Its name without folders."""
        return self.source.name


@dataclass(slots=True)
class FileUpload:
    """Uploads the files of one task, several at a time.

    :param checkpoint: stores the object names that earlier tries have reserved.
    :param options: options of the client's ``upload_data``, the same for all files.
    :param if_exists: which files to skip.
    :param filename_counts: number of occurrences of each filename among all files of the task.
    :param run_started_at: data created in the lake before this time are known data; later ones belong to this run.
    """

    datalake: "Datalake"
    checkpoint: UploadCheckpoint
    options: Mapping[str, Any]
    if_exists: IfExists
    filename_counts: Counter[str]
    run_started_at: datetime
    _results: dict[int, Result] = field(default_factory=dict)

    def upload(self, files: Sequence[TaskFile]) -> dict[int, Result]:
        """Upload files; all of them are tried, even if some fail.

        :return: the result of each file, by its index.
        """
        self._results = {}
        for file in files:
            error = file.source.error or (None if is_decodable(file.filename) else UNDECODABLE_NAME)
            if error is not None:
                self._record_failure(file, error)
        rest = self._resume([file for file in files if file.index not in self._results])
        self._copy_and_upload(self._skip_known_remote(rest))
        return self._results

    def _resume(self, files: Sequence[TaskFile]) -> list[TaskFile]:
        """Find data that an earlier try registered just before its process was killed; return the other files."""
        reserved = {file.index: name for file in files if (name := self.checkpoint.reserved_name(str(file.source)))}
        known = by_object_name(self.datalake, list(reserved.values()))
        found = [(file, known[reserved[file.index]]) for file in files if reserved.get(file.index) in known]
        self._record_known(found, UPLOADED)
        return [file for file in files if file.index not in self._results]

    def _skip_known_remote(self, files: Sequence[TaskFile]) -> Sequence[TaskFile]:
        """Skip objects of a storage that the lake already has, without downloading them; return the other files."""
        remote = [file for file in files if not file.source.is_local]
        if self.if_exists == "upload" or not remote:
            return files
        known = by_filename(self.datalake, [file.filename for file in remote], self._source)
        found = [
            (file, data)
            for file in remote
            if (data := next((each for each in known.get(file.filename, ()) if self._matches_object(file, each)), None))
        ]
        self._record_known(found, SKIPPED)
        return [file for file in files if file.index not in self._results]

    def _matches_object(self, file: TaskFile, data: "Data") -> bool:
        """Whether a data of the same filename was uploaded from an object, judging by the object's listing."""
        version = known_version(data)
        if version is not None or self.if_exists == "skip_content":
            return version is not None and version == version_of(file.source)
        is_plain = self.filename_counts[file.filename] == 1 and not size_is_ambiguous(file.filename)
        return is_plain and None not in {data.file_size, file.source.size} and data.file_size == file.source.size

    def _skip_known(self, files: Sequence[TaskFile]) -> Sequence[TaskFile]:
        """Skip files that the lake has, which must have been hashed; return the other files."""
        from airflow_provider_lake.client import LakeError

        if self.if_exists == "upload" or not files:
            return files
        found: list[tuple[TaskFile, Data]] = []
        if self.if_exists == "skip_content":
            known = by_content(self.datalake, [file.sha256 or "" for file in files])
            found = [(file, data) for file in files if (data := known.get(file.sha256 or ""))]
        else:
            named = by_filename(self.datalake, [file.filename for file in files], self._source)
            for file in files:
                try:
                    same = next(
                        (each for each in named.get(file.filename, ()) if self._matches_content(file, each)), None
                    )
                except LakeError as error:
                    self._record_failure(file, f"cannot be compared with the data of its name: {error}")
                else:
                    found += [] if same is None else [(file, same)]
        self._record_known(found, SKIPPED)
        return [file for file in files if file.index not in self._results]

    def _matches_content(self, file: TaskFile, data: "Data") -> bool:
        """Whether a data of the same filename has the content of a hashed file.

        The lake knows the size of most data, and the hash of data that were uploaded with ``if_exists``; if neither is
        conclusive, the data is downloaded and compared.
        """
        size = None if file.stat is None else file.stat[0]
        if None not in {size, data.file_size} and size != data.file_size:
            return False
        if (sha256 := known_hash(data)) is not None:
            return sha256 == file.sha256
        is_plain = self.filename_counts[file.filename] == 1 and not size_is_ambiguous(file.filename)
        return (is_plain and None not in {size, data.file_size}) or has_content(data, file.sha256 or "")

    @property
    def _source(self) -> str | None:
        source: str | None = self.options["source"] if self.if_exists == "skip" else None
        return source

    def _duplicate_key(self, file: TaskFile) -> Hashable:
        """Return a key that duplicates among the files share, so that only one is uploaded; None: no duplicates."""
        if self.if_exists == "skip":
            return (file.filename, file.sha256)
        return file.sha256

    def _copy_and_upload(self, files: Sequence[TaskFile]) -> None:
        with local_copies([file.source for file in files]) as copies:
            copied = []
            for file, copy in zip(files, copies, strict=True):
                if isinstance(copy, Path):
                    copied.append(replace(file, local_path=copy))
                else:
                    self._record_failure(file, f"cannot be downloaded: {copy}")
            if self.if_exists == "upload":
                self._upload_new(copied)
                return
            for group in _groups_without_duplicates(self._read(copied), self._duplicate_key):
                self._upload_new(self._skip_known(group))

    def _read(self, files: Iterable[TaskFile]) -> Iterator[TaskFile]:
        """Hash files, and yield them; files that cannot be read fail."""
        from airflow_provider_lake.client.concurrency.cancellation import cancellable_executor

        with cancellable_executor(MAX_READERS, "lake-hash") as pool:
            for file, outcome in pool.map(lambda file: (file, _hash_file(file)), files):
                if isinstance(outcome, TaskFile):
                    yield outcome
                else:
                    self._record_failure(file, outcome)

    def _upload_new(self, files: Sequence[TaskFile]) -> None:
        from airflow_provider_lake.client import Data, ErrorManager, NothingDoneError

        if not files:
            return
        manager, data = ErrorManager(), []
        with suppress(NothingDoneError):  # the error manager has the reasons
            uploaded = self.datalake.upload_data(
                [str(file.local_path) for file in files],
                error_manager=manager,
                metadata=[content_id(file.sha256, version_of(file.source)) | file.metadata for file in files],
                object_names=self._reserve_names(files),
                **self.options,
            )
            data = [uploaded] if isinstance(uploaded, Data) else list(uploaded)
        errors, succeeded = {error.path: error for error in manager.errors}, iter(data)
        for file in files:
            error = errors.get(str(file.local_path))
            if error is not None:
                self._record_failure(file, error)
            else:
                self._record_uploaded(file, next(succeeded))

    def _reserve_names(self, files: Sequence[TaskFile]) -> list[str | None] | None:
        """Reserve object names, and store them for a retry; None: a retry could not read them.

        A file whose name the lake refuses gets no object name: its upload will report the reason.
        """
        if not self.checkpoint.survives_retry:
            return None
        reserved = {file.index: self.checkpoint.reserved_name(str(file.source)) for file in files}
        unnamed = [file.filename for file in files if reserved[file.index] is None]
        new = iter(self.datalake.reserve_object_names(unnamed, self.options["max_workers"]))
        names = [reserved[file.index] or next(new) for file in files]
        self.checkpoint.save_names({str(file.source): name for file, name in zip(files, names, strict=True) if name})
        return names

    def _record_known(self, found: "Sequence[tuple[TaskFile, Data]]", status: str) -> None:
        """Record known data as the results of their files, once the lake has processed these data."""
        from airflow_provider_lake.client import UploadError
        from airflow_provider_lake.client.uploads import wait_until_processed

        results: Sequence[Data | UploadError] = [data for _, data in found]
        if self.options["wait_for_unprocessable_data"]:
            results = wait_until_processed(results, [str(file.source) for file, _ in found])
        for (file, known), result in zip(found, results, strict=True):
            if status == SKIPPED and has_failed(known) and not self._failed_in_this_run(known):
                reason = known.upload_error or getattr(result, "message", None) or "the lake could not process it"
                self._results[file.index] = _result(file, SKIPPED, data=known, reason=f"known to be bad: {reason}")
            elif isinstance(result, UploadError):
                self._record_failure(file, result)
            else:
                self._results[file.index] = _result(file, status, data=result)

    def _failed_in_this_run(self, data: "Data") -> bool:
        """Whether an unprocessable data was uploaded by this run: its file then counts as failed, not as known bad.

        A retry thus counts the same failures as earlier tries, even if no state of theirs was stored.
        """
        waits_for_processing: bool = self.options["wait_for_unprocessable_data"]
        return waits_for_processing and data.created_at is not None and data.created_at >= self.run_started_at

    def _record_uploaded(self, file: TaskFile, data: "Data") -> None:
        if file.stat is not None and file.local_path is not None and file.stat != _stat_of(file.local_path):
            # The hash does not match the bytes that were sent.
            data.delete()
            self._record_failure(file, "changed while it was uploaded")
        else:
            self._results[file.index] = _result(file, UPLOADED, data=data)

    def _record_failure(self, file: TaskFile, error: "FileError | str") -> None:
        """Record that a file failed; the failure is final if the lake could not process the file's data."""
        data = getattr(error, "data", None)
        reason = getattr(error, "message", str(error))
        is_final = data is not None and data.upload_status.is_final
        self._results[file.index] = _result(file, FAILED, data=data, reason=reason, is_final=is_final)


def _result(
    file: TaskFile, status: str, *, data: "Data | None" = None, reason: str | None = None, is_final: bool = True
) -> Result:
    return {
        "path": str(file.source),
        "status": status,
        "data_id": None if data is None else str(data.id),
        "sha256": file.sha256,
        "size": None if data is None else data.file_size,
        "reason": reason,
        "is_final": is_final,
    }


def _hash_file(file: TaskFile) -> "TaskFile | UploadError":
    from airflow_provider_lake.client import UploadError
    from airflow_provider_lake.client.transfers.files import open_file

    try:
        with open_file(str(file.local_path)) as local:
            stat = _stat_of(Path(local.path))
            sha256 = hashlib.file_digest(cast("BufferedReader", local.stream), "sha256").hexdigest()
    except UploadError as error:
        return error
    return replace(file, sha256=sha256, stat=stat)


def _stat_of(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _groups_without_duplicates(
    files: Iterable[TaskFile], key: Callable[[TaskFile], Hashable]
) -> Iterator[Sequence[TaskFile]]:
    """Split files into groups in which no key occurs twice; None is never a duplicate.

    Each group is processed before the next is requested: of two files with the same key, the second then finds the
    data of the first.
    """
    rest = list(files)
    while rest:
        seen: set[Hashable] = set()
        group: list[TaskFile] = []
        later: list[TaskFile] = []
        for file in rest:
            of_file = key(file)
            (later if of_file in seen else group).append(file)
            if of_file is not None:
                seen.add(of_file)
        yield group
        rest = later
