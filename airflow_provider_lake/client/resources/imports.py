"""Imports: jobs that make data and projections from objects that are already in the bucket."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from uuid import UUID

from airflow_provider_lake.client.arguments import read_list, read_value
from airflow_provider_lake.client.errors import LakeError, UsageError
from airflow_provider_lake.client.resources.data import normalize_updates
from airflow_provider_lake.client.resources.jobs import Job
from airflow_provider_lake.client.resources.multi_job import MultiJob
from airflow_provider_lake.client.transfers.file_checks import CheckFiles, check_option
from airflow_provider_lake.client.transport.fields import read_field
from airflow_provider_lake.client.transport.paging import chunks
from airflow_provider_lake.client.transport.session import Session

# How many objects one job takes.
MAX_OBJECTS_PER_JOB = 500


class Imports:
    """The imports of one datalake."""

    def __init__(self, session: Session, datalake_id: UUID) -> None:
        self._session = session
        self._datalake_id = datalake_id

    def import_prefixes(
        self,
        prefixes: Sequence[str],
        tag_ids: Sequence[UUID],
        source_id: UUID | None,
        key: str | None,
        check_files: CheckFiles,
    ) -> Job:
        """Start the import of all objects whose name starts with one of the prefixes."""
        body: dict[str, Any] = {
            "prefixes": list(prefixes),
            "tag_ids": list(tag_ids),
            **self._check_files_option(check_files),
        }
        return self._start("objects", body | ({"data_source_id": source_id} if source_id else {}), key)

    def import_objects(
        self, objects: Mapping[str, Mapping[str, Any]], check_files: CheckFiles = "header"
    ) -> Job | MultiJob:
        """Start the import of objects by name."""
        read_value("cloud_objects", objects, Mapping)
        return self._start_jobs("objects", "objects", normalize_updates(objects), self._check_files_option(check_files))

    def import_projections(self, projections: Mapping[str, Any]) -> Job | MultiJob:
        """Start the import of projections, given by the object name of their data."""
        read_value("cloud_projections", projections, Mapping)
        of_data = {
            name: read_list(f"cloud_projections of {name}", given, Mapping) for name, given in projections.items()
        }
        return self._start_jobs("objects/projections", "projections", of_data)

    def _check_files_option(self, check_files: CheckFiles) -> dict[str, str]:
        """Return the request field for ``check_files``; empty for the default, which every lake supports.

        :raises UsageError: the lake does not support the option: it would ignore or refuse it.
        """
        check_option(check_files)
        if check_files == "header":
            return {}
        if not self._session.supports_check_files:
            raise UsageError(f"this lake imports by headers only: check_files={check_files!r} is for an embedded lake")
        return {"check_files": check_files}

    def _start_jobs(
        self, path: str, field: str, wanted: Mapping[str, Any], options: Mapping[str, Any] = MappingProxyType({})
    ) -> Job | MultiJob:
        """Start one job, or several if there are more objects than one takes.

        :raises LakeError: a job cannot be started; ``started_jobs`` are those that were started before.
        """
        if not wanted:
            raise UsageError(f"no {field} given to import")
        jobs: list[Job] = []
        for part in chunks(list(wanted.items()), MAX_OBJECTS_PER_JOB):
            try:
                jobs.append(self._start(path, {field: dict(part), **options}))
            except LakeError as error:
                error.started_jobs = tuple(jobs)
                if jobs:
                    error.add_note(
                        f"jobs that were started before, and go on: {', '.join(str(job.id) for job in jobs)}"
                    )
                raise
        return jobs[0] if len(jobs) == 1 else MultiJob(jobs)

    def _start(self, path: str, body: Mapping[str, Any], key: str | None = None) -> Job:
        target = f"/api/datalake/{self._datalake_id}/{path}"
        response = self._session.request("POST", target, json={"datalake_id": self._datalake_id, **body}, key=key)
        return Job.from_json(self._session, read_field(response, "job", dict))
