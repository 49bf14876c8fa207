"""Imports of data: every image and video under some prefixes, or the objects of a list."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from airflow_provider_lake.media.images import ImageUnsupportedError, NotAnImageError, warn_unsupported
from airflow_provider_lake.media.kinds import content_type_of, kind_of
from airflow_provider_lake.server.blobs.names import check_object_name, is_upload_name
from airflow_provider_lake.server.errors import BadRequestError, UnavailableError, passes
from airflow_provider_lake.server.queries import datalakes, imports, objects
from airflow_provider_lake.server.row_ids import new_id
from airflow_provider_lake.server.states import DataType, UploadStatus
from airflow_provider_lake.server.tables import NAME_LENGTH
from airflow_provider_lake.server.work.image_process import Found
from airflow_provider_lake.server.work.progress import Candidate, Failure, Seen
from airflow_provider_lake.server.work.reading import look_at_all
from airflow_provider_lake.server.work.task import Task

Row = dict[str, Any]

logger = logging.getLogger(__name__)


class DataImport:
    """One import of data.

    The payload is ``{"prefixes", "tag_ids", "data_source_id"}`` or ``{"objects": {object name: {"metadata",
    "custom_metadata", "tag_ids", "data_source_id"}}}``.
    """

    def __init__(self, task: Task) -> None:
        self._lake = task.lake
        self._store = task.store
        self._datalake_id = task.job.datalake_id
        self._payload = task.job.payload

    def candidates(self, after: str | None) -> Iterator[Candidate]:
        """Yield the objects in the order of their names; under a prefix only what claims to be an image or a video."""
        if "objects" in self._payload:
            names = sorted(self._payload["objects"])
            yield from (Candidate(name) for name in names if after is None or name > after)
            return
        for prefix in disjoint(self._payload["prefixes"]):
            for blob in self._store.scan(prefix, after):
                if kind_of(blob.object_name) is not None:
                    yield Candidate(blob.object_name, blob.size)

    def read(self, candidates: Sequence[Candidate]) -> Seen[Row]:
        """Read the headers of those objects that are no data yet."""
        unknown = self._unknown(candidates)
        images = [each.object_name for each in unknown if _is_image_name(each.object_name)]
        read = dict(zip(images, self._lake.images.read([(self._store, name) for name in images]), strict=True))
        found = self._look_at_all(unknown, read)
        failures = [each for each in found if isinstance(each, Failure)]
        return Seen([each for each in found if not isinstance(each, Failure)], failures)

    def write(self, session: Session, seen: Seen[Row]) -> int:
        """Add the data with their tags."""
        # Sources and tags may have been deleted since the job was created.
        wanted_sources = {row["data_source_id"] for row in seen.rows} - {None}
        sources = imports.existing_sources(session, self._datalake_id, wanted_sources)
        rows = [row if row["data_source_id"] in sources else row | {"data_source_id": None} for row in seen.rows]
        wanted = [(row["id"], tag_id) for row in rows for tag_id in self._tag_ids(row["object_name"])]
        known = imports.existing_tags(session, self._datalake_id, {tag_id for _, tag_id in wanted})
        return len(imports.add_data(session, rows, [pair for pair in wanted if pair[1] in known]))

    def _unknown(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        names = [_printable(each.object_name) for each in candidates]
        with self._lake.database.reading() as session:
            known = imports.existing_objects(session, self._datalake_id, names)
            if "prefixes" in self._payload:
                known.update(self._arriving(session, names))
        return [each for each in candidates if each.object_name not in known]

    def _look_at_all(self, candidates: Sequence[Candidate], read: Mapping[str, Found]) -> list[Row | Failure]:
        def look_at(candidate: Candidate) -> Row | Failure:
            return self._look_at(candidate, read.get(candidate.object_name))

        if all(each.size is not None for each in candidates):
            # Nothing is asked of the storage any more.
            return [look_at(each) for each in candidates]
        return look_at_all(look_at, candidates)

    def _arriving(self, session: Session, names: Sequence[str]) -> list[str]:
        """Return those that somebody uploads: their uploader makes data of them, with what is said of them there."""
        chosen = [name for name in names if is_upload_name(name)]
        if not chosen:
            return []
        organization_id = datalakes.organizations_of(session, [self._datalake_id])[self._datalake_id]
        return objects.find_unused(session, organization_id, chosen)

    def _look_at(self, candidate: Candidate, found: Found | None) -> Row | Failure:
        """Return the row of an object.

        :param found: what is in it; None: it is no image.
        """
        name = candidate.object_name
        try:
            return self._row(check_object_name(name), candidate.size, found)
        except (BadRequestError, NotAnImageError) as error:
            return Failure(_printable(name), str(error))
        except FileNotFoundError:
            return Failure(name, "there is no such object")
        except OSError as error:
            if passes(error):
                raise UnavailableError(f"the objects cannot be read: {error.strerror}") from error
            return Failure(name, f"the object cannot be read: {error.strerror}")

    def _row(self, name: str, size: int | None, found: Found | None) -> Row:
        filename, kind = name.rpartition("/")[2], kind_of(name)
        if len(filename) > NAME_LENGTH:
            raise NotAnImageError(f"its file name is longer than {NAME_LENGTH} characters")
        if kind is None:
            raise NotAnImageError("its name says neither image nor video")
        if isinstance(found, ImageUnsupportedError):
            warn_unsupported(logger, str(found), "they come in without size, metadata and thumbnail")
            found = None
        if isinstance(found, Exception):
            raise found
        given = self._details(name)
        return {
            "id": new_id(),
            "datalake_id": self._datalake_id,
            "object_name": name,
            "filename": filename,
            "type": DataType(kind),
            "content_type": content_type_of(name),
            "upload_status": UploadStatus.DONE,
            "is_imported": True,
            "file_size": self._store.stat(name).size if size is None else size,
            "width": found.width if found else None,
            "height": found.height if found else None,
            "metadata": {**(found.metadata if found else {}), **(given.get("metadata") or {})} or None,
            "custom_metadata": given.get("custom_metadata"),
            "data_source_id": given["data_source_id"] and UUID(given["data_source_id"]),
        }

    def _details(self, name: str) -> Mapping[str, Any]:
        """Return what the payload says about an object; of prefixes it says the same about all."""
        details: Mapping[str, Any] = self._payload.get("objects", {}).get(name, self._payload)
        return details

    def _tag_ids(self, name: str) -> set[UUID]:
        return {UUID(tag_id) for tag_id in self._details(name)["tag_ids"]}


def _is_image_name(name: str) -> bool:
    if kind_of(name) != "IMAGE":
        return False
    try:
        check_object_name(name)
    except BadRequestError:
        return False
    return True


def _printable(name: str) -> str:
    """Replace what is no character: the names of files need not be text."""
    return name.encode("utf-8", "replace").decode()


def disjoint(prefixes: Iterable[str]) -> list[str]:
    """Sort prefixes and leave out those that another one covers, so that no object is met twice."""
    kept: list[str] = []
    for prefix in sorted(prefixes):
        if not kept or not prefix.startswith(kept[-1]):
            kept.append(prefix)
    return kept
