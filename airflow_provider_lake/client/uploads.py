"""Uploads: choose an object name, store the file, register it exactly once; many files in several threads."""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from airflow_provider_lake.client.concurrency.cancellation import pause
from airflow_provider_lake.client.concurrency.worker_pool import run_all
from airflow_provider_lake.client.errors import (
    ConflictError,
    LakeError,
    NotFoundError,
    NothingDoneError,
    UnexpectedResponseError,
    UnprocessableDataError,
    UploadError,
    UploadFailedError,
    UsageError,
)
from airflow_provider_lake.client.listing.multi_data import MultiData
from airflow_provider_lake.client.listing.selection import ANY_STATE_AND_TYPE_PARAMS, refresh_data
from airflow_provider_lake.client.resources.data import Data
from airflow_provider_lake.client.resources.states import UploadStatus
from airflow_provider_lake.client.transfers.error_manager import ErrorManager
from airflow_provider_lake.client.transfers.file_checks import CheckFiles, decode, read_metadata
from airflow_provider_lake.client.transfers.files import LocalFile, open_file
from airflow_provider_lake.client.transfers.progress import Progress, progress_counter
from airflow_provider_lake.client.transfers.storage import ObjectStorage
from airflow_provider_lake.client.transport.session import Session
from airflow_provider_lake.media.kinds import content_type_of, data_type_of
from airflow_provider_lake.text.printable import one_line

logger = logging.getLogger(__name__)

# The wait ends if for this long the lake has not finished processing any of the data.
NO_PROGRESS_SECONDS = 150.0
FIRST_POLL_SECONDS = 0.05
MAX_POLL_SECONDS = 5.0

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class FileToUpload:
    """A file with the caller's metadata.

    :param path: as the caller passed it.
    :param size: width and height in pixels; None: read from the file.
    :param object_name: reserved before; None: requested from the lake.
    """

    path: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    custom_metadata: Mapping[str, Any] = field(default_factory=dict)
    size: Size | None = None
    object_name: str | None = None


@dataclass(frozen=True, slots=True)
class Uploader:
    """Uploads files, all with the same tags and source.

    :param connector_id: connector of the object storage for the bytes.
    :param tag_ids: tags that each data gets.
    :param source_id: source of each data.
    :param fill_metadata: add EXIF metadata; the caller's metadata takes precedence.
    :param upload_dir: prefix of the object names.
    :param check_files: ``decode``: files that cannot be decoded are not uploaded.
    """

    session: Session
    datalake_id: UUID
    connector_id: UUID
    tag_ids: Sequence[UUID] = ()
    source_id: UUID | None = None
    fill_metadata: bool = False
    upload_dir: str | None = None
    check_files: CheckFiles = "header"

    def upload(self, file: FileToUpload) -> Data:
        """Upload one file.

        :raises UploadError: it cannot be read, transferred or registered.
        """
        try:
            with open_file(file.path) as local:
                storage = ObjectStorage(self.session, self.connector_id)
                description = self._data_body(file, local)
                if self.check_files == "decode":
                    decode(local)
                object_name = file.object_name or storage.generate_object_name(local.name, "DATA", self.upload_dir)
                storage.store(local, object_name, description["content_type"])
            return self._register({"object_name": object_name} | description)
        except UploadError:
            raise
        except LakeError as error:
            raise UploadError(file.path, str(error), error) from error
        except Exception as error:
            # An error in one file must not stop the others.
            logger.exception("%s: an unexpected error", one_line(file.path))
            raise UploadError(file.path, f"{type(error).__name__}: {error}", error) from error

    def upload_all(
        self, files: Sequence[FileToUpload], max_workers: int | None, progress: Progress | None
    ) -> list[Data | UploadError]:
        """Upload files in several threads, and return the result of each, in their order.

        :param max_workers: files uploaded at the same time; None: 2, and more, up to 128, while most of
            the time is spent waiting for the lake.
        :param progress: called with the numbers of finished and of all files; None: a bar on a terminal, or log lines.
        """

        def attempt(file: FileToUpload) -> Data | UploadError:
            try:
                return self.upload(file)
            except UploadError as error:
                return error
            finally:
                advance()

        with progress_counter("upload", len(files), progress) as advance:
            return run_all(attempt, files, max_workers, self.session.concurrency)

    def _data_body(self, file: FileToUpload, local: LocalFile) -> dict[str, Any]:
        """Return the request body that registers a file, without its object name."""
        header = read_metadata(local, with_metadata=self.fill_metadata)
        size = file.size or ((header.width, header.height) if header else None)
        metadata = {**(header.metadata if header else {}), **file.metadata}
        description: dict[str, Any] = {
            "type": data_type_of(local.name),
            "filename": local.name,
            "content_type": content_type_of(local.name),
            "tags": list(self.tag_ids),
            "data_source_id": self.source_id,
        }
        if size:
            description["meta"] = {"width": size[0], "height": size[1]}
        if metadata:
            description["metadata"] = metadata
        if file.custom_metadata:
            description["custom_metadata"] = file.custom_metadata
        return description

    def _register(self, body: Mapping[str, Any]) -> Data:
        """Register an object as data, once: after an ambiguous outcome, look it up before another attempt."""
        attempts = self.session.attempts()
        return attempts.repeat(partial(self._create, body), repeatable=True, recover=partial(self._find, body))

    def _find(self, body: Mapping[str, Any]) -> Data | None:
        """Return the data of an object; None: there is none."""
        with suppress(NotFoundError):
            return self._get(body)
        return None

    def _create(self, body: Mapping[str, Any]) -> Data:
        path = f"/api/datalake/{self.datalake_id}/datas"
        try:
            json = self.session.request_once("POST", path, json=body)
            return Data.from_json(self.session, self.datalake_id, json)
        except ConflictError:
            return self._get(body)
        except UnexpectedResponseError:
            # If the object is a data already, not every lake returns that data.
            with suppress(NotFoundError):
                return self._get(body)
            raise

    def _get(self, body: Mapping[str, Any]) -> Data:
        """Return the data of an object."""
        path = f"/api/datalake/{self.datalake_id}/datas/find"
        params = [("object_name", body["object_name"]), *ANY_STATE_AND_TYPE_PARAMS]
        return Data.from_json(self.session, self.datalake_id, self.session.request_once("GET", path, params=params))


def plan_files(
    paths: Sequence[str | Path],
    metadata: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None,
    custom_metadata: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None,
    sizes: Size | Sequence[Size] | None,
    object_names: Sequence[str | None] | None = None,
) -> list[FileToUpload]:
    """Combine the files with the arguments for all or each of them.

    :raises UsageError: there are no files, or an argument has values for another number of files.
    """
    if not paths:
        raise UsageError("no files given")
    of_all = (
        _values_per_file("metadata", metadata, len(paths), isinstance(metadata, Mapping)),
        _values_per_file("custom_metadata", custom_metadata, len(paths), isinstance(custom_metadata, Mapping)),
        _values_per_file("sizes", sizes, len(paths), _is_one_size(sizes)),
        _values_per_file("object_names", object_names, len(paths), is_shared=False),
    )
    return [
        FileToUpload(str(path), each_metadata or {}, each_custom or {}, size, object_name)
        for path, each_metadata, each_custom, size, object_name in zip(paths, *of_all, strict=True)
    ]


def _is_one_size(sizes: Size | Sequence[Size] | None) -> bool:
    """Whether it is one width and height, not a tuple of sizes."""
    return isinstance(sizes, tuple) and bool(sizes) and isinstance(sizes[0], int)


def _values_per_file(name: str, value: Any, count: int, is_shared: bool) -> Sequence[Any]:
    if value is None or is_shared:
        return [value] * count
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise UsageError(f"{name} must be given for all files alike, or as a list for each, not as {value!r:.80}")
    of_each = list(value)
    if len(of_each) != count:
        raise UsageError(f"{name} is given for {len(of_each)} files, but there are {count}")
    return of_each


def wait_until_processed(results: Sequence[Data | UploadError], paths: Sequence[str]) -> list[Data | UploadError]:
    """Wait until the lake has processed the data, and return the results, updated with the outcome.

    :param paths: the file of each result.
    """
    latest = {result.id: result for result in results if isinstance(result, Data)}
    unreadable: dict[UUID, str] = {}
    unknown = _poll_until_processed(latest, unreadable)
    return [
        result
        if isinstance(result, UploadError)
        else _result_of(latest[result.id], path, unreadable.get(result.id, unknown))
        for result, path in zip(results, paths, strict=True)
    ]


def _poll_until_processed(latest: dict[UUID, Data], unreadable: dict[UUID, str]) -> str:
    """Poll data until the lake has processed them all; return the reason if it has not.

    :param unreadable: receives the data whose response cannot be read, with the reason.
    """
    pending = [data for data in latest.values() if not data.upload_status.is_final]
    interval, last_progress = FIRST_POLL_SECONDS, time.monotonic()
    while pending:
        if time.monotonic() - last_progress > NO_PROGRESS_SECONDS:
            return f"no progress in {NO_PROGRESS_SECONDS:.0f} s"
        pause(interval)
        interval = min(MAX_POLL_SECONDS, 1.5 * interval)
        try:
            read = _refresh(pending, unreadable)
        except LakeError as error:
            return str(error)
        latest.update({data.id: data for data in read})
        still_pending = [data for data in read if not data.upload_status.is_final]
        if len(still_pending) < len(pending):
            last_progress = time.monotonic()
        pending = still_pending
    return "it is gone"


def _refresh(pending: Sequence[Data], unreadable: dict[UUID, str]) -> list[Data]:
    """Read data again; if one of them makes a list unreadable, read each alone."""
    with suppress(UnexpectedResponseError):
        return list(refresh_data(pending))
    read = []
    for data in pending:
        try:
            read.append(data.refresh())
        except NotFoundError:
            continue
        except UnexpectedResponseError as error:
            unreadable[data.id] = str(error)
    return read


def _result_of(data: Data, path: str, unknown: str) -> Data | UploadError:
    """Return the data if the lake could process it, else an error with the reason."""
    if data.upload_status == UploadStatus.DONE:
        return data
    if data.upload_status.is_final:
        reason = f"cannot be processed: {data.upload_error or 'the lake does not say why'}"
    else:
        reason = f"not processed so far: {unknown}"
    return UnprocessableDataError(path, f"stored, but {reason}", None, data)


def collect(results: Sequence[Data | UploadError], error_manager: ErrorManager | None) -> Data | MultiData:
    """Return the data, and report the errors: to the error manager, or by raising.

    :raises UploadError: the one file failed, and there is no ``error_manager``.
    :raises UploadFailedError: some of several files failed, and there is no ``error_manager``.
    :raises NothingDoneError: all files failed, and ``error_manager`` has the errors.
    """
    data = [result for result in results if isinstance(result, Data)]
    errors = [result for result in results if isinstance(result, UploadError)]
    if error_manager is None and errors:
        raise errors[0] if len(results) == 1 else UploadFailedError(errors, data)
    if error_manager is not None:
        for error in errors:
            error_manager.append(error)
    if not data:
        raise NothingDoneError(f"none of {len(results)} files could be uploaded; the error manager has the reasons")
    return data[0] if len(results) == 1 else MultiData(data)
