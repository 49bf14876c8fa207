"""A datalake: uploads, data, imports and processings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from airflow_provider_lake.client.arguments import (
    read_list,
    read_optional_list,
    read_optional_value,
    read_value,
    read_workers,
)
from airflow_provider_lake.client.errors import UsageError
from airflow_provider_lake.client.listing.datalake_mixin import DataListingMixin
from airflow_provider_lake.client.listing.multi_data import MultiData
from airflow_provider_lake.client.resources.base import Json, parse_id
from airflow_provider_lake.client.resources.custom_metadata import CustomMetadataSchemaMixin
from airflow_provider_lake.client.resources.data import Data, update_data
from airflow_provider_lake.client.resources.imports import Imports
from airflow_provider_lake.client.resources.jobs import Job
from airflow_provider_lake.client.resources.multi_job import MultiJob
from airflow_provider_lake.client.resources.processings import Processing, launch_body
from airflow_provider_lake.client.resources.projections import Projection, upload_projection
from airflow_provider_lake.client.resources.sources import DataSource, data_sources
from airflow_provider_lake.client.resources.tags import Tag
from airflow_provider_lake.client.transfers.error_manager import ErrorManager
from airflow_provider_lake.client.transfers.file_checks import CheckFiles, check_option
from airflow_provider_lake.client.transfers.progress import Progress
from airflow_provider_lake.client.transfers.storage import ObjectStorage
from airflow_provider_lake.client.transport.fields import explain_shape
from airflow_provider_lake.client.transport.session import Session
from airflow_provider_lake.client.uploads import Size, Uploader, collect, plan_files, wait_until_processed


@dataclass(frozen=True, slots=True, eq=False)
class Datalake(CustomMetadataSchemaMixin, DataListingMixin):
    """A collection of images and videos whose bytes are in one object storage.

    :param connector_id: connector of the object storage; None: this datalake can neither upload nor import.
    """

    connector_id: UUID | None

    @classmethod
    @explain_shape("datalake")
    def from_json(cls, session: Session, json: Json) -> Self:
        """Make the record from the lake's response."""
        connector_id = json.get("connector_id")
        return cls(UUID(json["id"]), session, json["name"], None if connector_id is None else UUID(connector_id))

    def refresh(self) -> Self:
        """Read it again and return its present state."""
        return self.from_json(self.session, self.session.request("GET", self._path))

    def upload_data(
        self,
        filepaths: str | Path | Sequence[str | Path],
        tags: str | Tag | Sequence[str | Tag] | None = None,
        source: str | DataSource | None = None,
        max_workers: int | None = None,
        error_manager: ErrorManager | None = None,
        metadata: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        fill_metadata: bool | None = False,
        wait_for_unprocessable_data: bool | None = True,
        upload_dir: str | None = None,
        custom_metadata: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        sizes: Size | Sequence[Size] | None = None,
        *,
        progress: Progress | None = None,
        object_names: Sequence[str | None] | None = None,
        check_files: CheckFiles = "header",
    ) -> Data | MultiData:
        """Upload files; all of them are tried, even when one fails.

        :param filepaths: one file or several.
        :param tags: data tags that each data gets, by name or as records; created when missing.
        :param source: data source of each data, by name or as a record; created when missing.
        :param max_workers: files uploaded at the same time; None: 2, and more, up to 128, while most of
            the time is spent waiting for the lake.
        :param error_manager: collects the errors of single files; without one they are raised at the end.
        :param metadata: for all files, or one for each in their order.
        :param fill_metadata: add the files' EXIF metadata; values in ``metadata`` take precedence.
        :param wait_for_unprocessable_data: wait until the lake has processed each data; one that it cannot process is
            an error.
        :param upload_dir: prefix of the object names; only on an object storage of the organization's own.
        :param custom_metadata: for all files, or one for each in their order.
        :param sizes: width and height in pixels as displayed, for all files or for each; None: read from the files.
        :param progress: called with the numbers of finished and of all files; None: a bar on a terminal, or log lines.
        :param object_names: from :meth:`reserve_object_names`, for each file in their order; a repeated upload under
            the same names registers nothing twice.
        :param check_files: ``"decode"``: decode each file completely before its upload; a truncated or broken one is an
            error. Videos need the extra ``video``, without which they are errors; an hour of video takes minutes.
        :return: the data of one file; for several, those that succeeded in the order of the files.
        :raises UsageError: an argument has values for another number of files; nothing was sent.
        :raises UploadError: the one file failed, and there is no ``error_manager``.
        :raises UploadFailedError: some of several files failed, and there is no ``error_manager``.
        :raises NothingDoneError: all files failed, and ``error_manager`` has the errors.
        """
        check_option(check_files)
        paths = read_list("filepaths", filepaths, str, PathLike)
        files = plan_files(paths, metadata, custom_metadata, sizes, object_names)
        uploader = Uploader(
            self.session,
            self.id,
            self._require_connector(),
            tag_ids=self._tag_ids(tags),
            source_id=self._source_id(source),
            fill_metadata=bool(fill_metadata),
            upload_dir=upload_dir,
            check_files=check_files,
        )
        results = uploader.upload_all(files, read_workers(max_workers), progress)
        if wait_for_unprocessable_data:
            results = wait_until_processed(results, [file.path for file in files])
        return collect(results, error_manager)

    def reserve_object_names(self, filenames: Sequence[str], max_workers: int | None = None) -> list[str | None]:
        """Request a name from the lake for an object of each file to upload; nothing is stored yet.

        :param max_workers: requests at the same time; None: as many as :meth:`upload_data` makes.
        :return: None for a file whose name the lake refuses; an upload of that file reports why.
        """
        names = read_list("filenames", filenames, str)
        storage = ObjectStorage(self.session, self._require_connector())
        return storage.generate_object_names(names, read_workers(max_workers))

    def create_data_tag(self, name: str) -> Tag:
        """Create a data tag.

        :raises ConflictError: the name is taken.
        """
        return self._tags.create(name)

    def get_data_tag(self, name: str) -> Tag:
        """Return the data tag of this name.

        :raises NotFoundError: there is none.
        """
        return self._tags.get(name)

    def get_or_create_data_tag(self, name: str) -> Tag:
        """Return the data tag of this name; create it when there is none."""
        return self._tags.get_or_create(name)

    def list_data_tags(
        self, limit: int | None = None, offset: int | None = None, order_by: Sequence[str] | None = None
    ) -> list[Tag]:
        """Return the data tags.

        :param limit: maximum number of tags.
        :param offset: number of tags to skip.
        :param order_by: fields, with a ``-`` prefix for descending order.
        """
        return list(self._tags.list(limit, offset, order_by))

    def create_projection(
        self,
        data: Data,
        name: str,
        path: str | Path,
        additional_info: Mapping[str, Any] | None = None,
        fill_metadata: bool = False,
    ) -> Projection:
        """Upload a file as a projection of a data.

        :param additional_info: further information about it.
        :param fill_metadata: add the file's EXIF metadata; values in ``additional_info`` take precedence.
        :raises UploadError: the file cannot be read or uploaded.
        """
        connector_id = self._require_connector()
        path, info = (
            str(read_value("path", path, str, PathLike)),
            read_optional_value("additional_info", additional_info, Mapping),
        )
        data_id, name = read_value("data", data, Data).id, read_value("name", name, str)
        return upload_projection(self.session, connector_id, data_id, name, path, info, fill_metadata)

    def import_bucket_objects(
        self,
        prefixes: str | Sequence[str],
        tags: str | Tag | Sequence[str | Tag] | None = None,
        source: str | DataSource | None = None,
        idempotency_key: str | None = None,
        check_files: CheckFiles = "header",
    ) -> Job:
        """Start a job that makes data from objects that are already in the bucket.

        :param prefixes: one prefix of object names, or several; every object that has one of them is imported.
        :param tags: data tags that each data gets, by name or as records; created when missing.
        :param source: data source of each data, by name or as a record; created when missing.
        :param idempotency_key: of this call: a lake that supports such keys, as the embedded one does, returns the same
            job for every further call with the same key, so that a retry after a lost response starts no second job.
        :param check_files: ``"decode"``: have each object decoded completely, as :meth:`upload_data` does; a truncated
            or broken one is not imported, and is listed among the job's failures.
        :raises UsageError: the lake cannot decode imported objects; only an embedded one can.
        """
        self._require_connector()
        wanted = read_list("prefixes", prefixes, str)
        if not wanted or prefixes == "":
            raise UsageError("no prefix given: the whole bucket is meant by [''], and never by accident")
        return self._imports.import_prefixes(
            wanted, self._tag_ids(tags), self._source_id(source), idempotency_key, check_files
        )

    def import_cloud_objects(
        self, cloud_objects: Mapping[str, Mapping[str, Any]], check_files: CheckFiles = "header"
    ) -> Job | MultiJob:
        """Start a job that makes data from named objects that are already in the bucket; one job for each 500 objects.

        :param cloud_objects: object name to the fields of its data: ``metadata``, ``custom_metadata``, ``tags`` (names)
            and ``data_source`` (name), all optional.
        :param check_files: as in :meth:`import_bucket_objects`.
        :raises LakeError: one of the jobs cannot be started; ``started_jobs`` are the earlier ones, which continue.
        """
        return self._imports.import_objects(cloud_objects, check_files)

    def import_cloud_projections(self, cloud_projections: Mapping[str, Sequence[Mapping[str, str]]]) -> Job | MultiJob:
        """Start a job that makes projections from objects that are already in the bucket; one job for each 500 data.

        :param cloud_projections: object name of a data to its projections, each ``name`` and ``object_name``.
        :raises LakeError: one of the jobs cannot be started; ``started_jobs`` are the earlier ones, which continue.
        """
        return self._imports.import_projections(cloud_projections)

    def update_multiple_data(self, objects: Mapping[UUID, Mapping[str, Any]]) -> None:
        """Change several data, a hundred at a time.

        :param objects: id of a data to its new fields: ``metadata``, ``custom_metadata``, ``tags`` (names) and
            ``data_source`` (name).
        """
        update_data(self.session, self.id, objects)

    def launch_processing(
        self,
        processing: Processing,
        data: Data | UUID | str | Sequence[Data | UUID | str],
        parameters: Mapping[str, Any] | None = None,
        cpu: int | None = None,
        gpu: int | None = None,
        inputs: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Start a job that runs a processing on data.

        :param data: one data, a list of them or a MultiData; or their ids, which take less memory.
        :param parameters: of this run; None: the processing's own.
        :param cpu: number of processors; None: the processing's own.
        :param gpu: number of graphics processors; None: the processing's own.
        :param idempotency_key: of this call: a lake that supports such keys, as the embedded one does, returns the same
            job for every further call with the same key, so that a retry after a lost response starts no second job.
        :raises UsageError: the processing does not work on data, or there are no data.
        """
        some: list[Data | UUID | str] = read_list("data", data, Data, UUID, str)
        data_ids = [each.id if isinstance(each, Data) else parse_id(each) for each in some]
        body = launch_body(processing, data_ids, parameters, cpu, gpu, inputs)
        path = f"{self._path}/processing/launch"
        return Job.from_json(self.session, self.session.request("POST", path, json=body, key=idempotency_key))

    @property
    def _imports(self) -> Imports:
        return Imports(self.session, self.id)

    def _tag_ids(self, tags: str | Tag | Sequence[str | Tag] | None) -> list[UUID]:
        several: list[str | Tag] = read_optional_list("tags", tags, str, Tag) or []
        return [tag.id if isinstance(tag, Tag) else self.get_or_create_data_tag(tag).id for tag in several]

    def _source_id(self, source: str | DataSource | None) -> UUID | None:
        given = read_optional_value("source", source, str, DataSource)
        if isinstance(given, str):
            given = data_sources(self.session).get_or_create(given)
        return None if given is None else given.id

    def _require_connector(self) -> UUID:
        if self.connector_id is None:
            raise UsageError(f"{self._description} has no connector: it can neither upload nor import")
        return self.connector_id
