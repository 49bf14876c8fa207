"""Imports of data: every image and video under some prefixes, or the objects of a list."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from airflow_provider_lake.media.kinds import content_type_of, kind_of
from airflow_provider_lake.server.blobs.names import check_filename, check_object_name, is_upload_name
from airflow_provider_lake.server.errors import BadRequestError
from airflow_provider_lake.server.row_ids import new_id
from airflow_provider_lake.server.store.queries import datalakes, imports, objects
from airflow_provider_lake.server.store.states import CheckFiles, DataType, UploadStatus
from airflow_provider_lake.server.work.jobs.progress import BatchResult, Candidate, Failure
from airflow_provider_lake.server.work.jobs.task import Task
from airflow_provider_lake.server.work.readers.image_process import ImageResult
from airflow_provider_lake.server.work.readers.media_reader import (
    StoppedError,
    VideoResult,
    drop_unsupported,
    media_columns,
)
from airflow_provider_lake.server.work.readers.parallel import read_all
from airflow_provider_lake.server.work.readers.unreadable import EMPTY, failure_reason

Row = dict[str, Any]

BATCH = 500
_DECODED_BATCH = 16
# A job's progress is read often, and stays small.
_MAX_REASONS = 50
_MAX_SUFFIX = 20


class DataImport:
    """One import of data.

    The payload is ``{"prefixes", "tag_ids", "data_source_id"}`` or ``{"objects": {object name: {"metadata",
    "custom_metadata", "tag_ids", "data_source_id"}}}``, both with ``"check_files"``.
    """

    def __init__(self, task: Task) -> None:
        self._lake = task.lake
        self._store = task.store
        self._datalake_id = task.job.datalake_id
        self._payload = task.job.payload
        self._stop = task.stop
        # Payloads of earlier versions do not have this key.
        self._decodes = task.job.payload.get("check_files") == CheckFiles.DECODE
        # Decoding takes long, so its progress is saved more often.
        self.found: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self.batch_size = _DECODED_BATCH if self._decodes else BATCH

    def candidates(self, after: str | None) -> Iterator[Candidate]:
        """Yield the objects in the order of their names; under a prefix, only those named like images or videos."""
        if "objects" in self._payload:
            names = sorted(self._payload["objects"])
            yield from (Candidate(name) for name in names if after is None or name > after)
            return
        prefixes = dict.fromkeys(self._payload["prefixes"])
        self.found.update(dict.fromkeys(prefixes, 0))
        for prefix in disjoint(prefixes):
            covered = [each for each in prefixes if each.startswith(prefix)]
            for blob in self._store.scan(prefix, after):
                self.found.update(each for each in covered if blob.object_name.startswith(each))
                if kind_of(blob.object_name) is not None:
                    yield Candidate(blob.object_name, blob.size)
                else:
                    self.left_out[self._skip_reason(blob.object_name)] += 1

    def _skip_reason(self, name: str) -> str:
        """Return why an object is left out, by its name; the number of different reasons is limited."""
        if name.endswith("/"):
            return "folder marker"
        suffix = _printable(PurePosixPath(name).suffix).lower() or "no suffix"
        is_known = suffix in self.left_out or len(self.left_out) < _MAX_REASONS
        return suffix if is_known and len(suffix) <= _MAX_SUFFIX else "other suffixes"

    def read(self, candidates: Sequence[Candidate]) -> BatchResult[Row]:
        """Read the objects that are not data yet: their headers or, by ``check_files``, their whole content."""
        unknown = self._new_candidates(candidates)
        try:
            read = self._read(unknown)
        except StoppedError:
            # Nothing is written, and the next run reads the batch again.
            return BatchResult([], [])
        found = self._make_rows(unknown, read)
        failures = [each for each in found if isinstance(each, Failure)]
        return BatchResult([each for each in found if not isinstance(each, Failure)], failures)

    def write(self, session: Session, seen: BatchResult[Row]) -> int:
        """Add the data with their tags."""
        # Sources and tags may have been deleted since the job was created.
        wanted_sources = {row["data_source_id"] for row in seen.rows} - {None}
        sources = imports.existing_sources(session, self._datalake_id, wanted_sources)
        rows = [row if row["data_source_id"] in sources else row | {"data_source_id": None} for row in seen.rows]
        wanted = [(row["id"], tag_id) for row in rows for tag_id in self._tag_ids(row["object_name"])]
        known = imports.existing_tags(session, self._datalake_id, {tag_id for _, tag_id in wanted})
        return len(imports.add_data(session, rows, [pair for pair in wanted if pair[1] in known]))

    def _new_candidates(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        names = [_printable(each.object_name) for each in candidates]
        with self._lake.database.reading() as session:
            known = imports.existing_objects(session, self._datalake_id, names)
            if "prefixes" in self._payload:
                known.update(self._incoming(session, names))
        return [each for each in candidates if each.object_name not in known]

    def _read(self, candidates: Sequence[Candidate]) -> dict[str, ImageResult | VideoResult]:
        """Return by name the headers of the objects that are named like images or videos, or the errors."""
        kinds = {each.object_name: kind for each in candidates if (kind := _kind_of(each.object_name))}
        images = [name for name, kind in kinds.items() if kind == DataType.IMAGE]
        videos = [name for name, kind in kinds.items() if kind == DataType.VIDEO]
        found: dict[str, ImageResult | VideoResult] = {}
        found |= zip(images, self._lake.images.read([(self._store, name) for name in images]), strict=True)
        found |= zip(videos, read_all(self._read_video, videos), strict=True)
        if self._decodes:
            whole = [name for name, each in found.items() if not isinstance(each, Exception)]
            checked = read_all(lambda name: self._check(name, kinds[name]), whole)
            found |= {name: error for name, error in zip(whole, checked, strict=True) if error is not None}
        return found

    def _read_video(self, name: str) -> VideoResult:
        return self._lake.media.try_read_video(self._store, name, lambda: self._stop.is_set)

    def _check(self, name: str, kind: DataType) -> Exception | None:
        """Decode a whole object, and return the error; None if there is none."""
        try:
            self._lake.media.check(self._store, name, kind, lambda: self._stop.is_set)
        except StoppedError:
            raise
        except Exception as error:  # noqa: BLE001 - the caller handles it
            return error
        return None

    def _make_rows(
        self, candidates: Sequence[Candidate], read: Mapping[str, ImageResult | VideoResult]
    ) -> list[Row | Failure]:
        def make_row(candidate: Candidate) -> Row | Failure:
            return self._row_or_failure(candidate, read.get(candidate.object_name))

        if all(each.size is not None for each in candidates):
            # All sizes are known: no more requests to the storage, so no threads.
            return [make_row(each) for each in candidates]
        return read_all(make_row, candidates)

    def _incoming(self, session: Session, names: Sequence[str]) -> list[str]:
        """Return the names that are being uploaded: the client registers them itself, with tags and metadata."""
        chosen = [name for name in names if is_upload_name(name)]
        if not chosen:
            return []
        organization_id = datalakes.organizations_of(session, [self._datalake_id])[self._datalake_id]
        return objects.find_unused(session, organization_id, chosen)

    def _row_or_failure(self, candidate: Candidate, found: ImageResult | VideoResult | None) -> Row | Failure:
        """Return the row of an object, or why it cannot be a data.

        :param found: its header or the error; None: it is not named like an image or a video.
        """
        name = candidate.object_name
        try:
            return self._make_row(check_object_name(name), candidate.size, found)
        except Exception as error:  # noqa: BLE001 - `failure_reason` distinguishes them
            return Failure(_printable(name), failure_reason(error, name, missing="there is no such object"))

    def _make_row(self, name: str, size: int | None, read: ImageResult | VideoResult | None) -> Row:
        filename, kind = name.rpartition("/")[2], kind_of(name)
        if kind is None:
            raise BadRequestError("its name says neither image nor video")
        check_filename(filename)
        # A file that needs a missing library is imported unread, unless it must be decoded.
        found = read if self._decodes else drop_unsupported(read)
        if isinstance(found, Exception):
            raise found
        size = self._store.stat(name).size if size is None else size
        if size == 0:
            raise BadRequestError(EMPTY)
        given = self._details(name)
        metadata = {} if found is None else found.metadata
        facts: dict[str, Any] = dict.fromkeys(("width", "height", "duration", "frame_rate", "codec"))
        return {
            "id": new_id(),
            "datalake_id": self._datalake_id,
            "object_name": name,
            "filename": filename,
            "type": DataType(kind),
            "content_type": content_type_of(name),
            "upload_status": UploadStatus.DONE,
            "is_imported": True,
            "file_size": size,
            **facts,
            **media_columns(found),
            "metadata": {**metadata, **(given.get("metadata") or {})} or None,
            "custom_metadata": given.get("custom_metadata"),
            "data_source_id": given["data_source_id"] and UUID(given["data_source_id"]),
        }

    def _details(self, name: str) -> Mapping[str, Any]:
        """Return an object's part of the payload; of an import by prefixes it is the same for all."""
        details: Mapping[str, Any] = self._payload.get("objects", {}).get(name, self._payload)
        return details

    def _tag_ids(self, name: str) -> set[UUID]:
        return {UUID(tag_id) for tag_id in self._details(name)["tag_ids"]}


def _kind_of(name: str) -> DataType | None:
    """Return the kind of an object by its name; None if it has none, or the name is invalid."""
    kind = kind_of(name)
    if kind is None:
        return None
    try:
        check_object_name(name)
    except BadRequestError:
        return None
    return DataType(kind)


def _printable(name: str) -> str:
    """Replace bytes that are not valid UTF-8: names of files need not be text."""
    return name.encode("utf-8", "replace").decode()


def disjoint(prefixes: Iterable[str]) -> list[str]:
    """Sort prefixes and leave out those that another one covers, so that no object is listed twice."""
    kept: list[str] = []
    for prefix in sorted(prefixes):
        if not kept or not prefix.startswith(kept[-1]):
            kept.append(prefix)
    return kept
