"""Asynchronous jobs of the lake."""

import json as jsonlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from airflow_provider_lake.client.errors import (
    JobFailedError,
    JobKilledError,
    JobTimeoutError,
    ResponseError,
    UsageError,
)
from airflow_provider_lake.client.http import Session
from airflow_provider_lake.client.records import Json, Record, parse_id, parse_moment
from airflow_provider_lake.client.states import JobStatus
from airflow_provider_lake.client.transfer import read_object

# What a lake without a route answers.
_NO_ROUTE = frozenset({404, 405})
# State that is reported to the last part of its route.
_REPORTS = {"RUNNING": "running", "SUCCEEDED": "succeed", "FAILED": "fail"}


@dataclass(frozen=True, slots=True)
class ProcessingTask:
    """What a processing is asked to do by its job.

    :param datalake_id: the datalake whose data it works on.
    :param parameters: of this run.
    :param inputs: of this run.
    :param data_ids: the data.
    """

    datalake_id: UUID
    parameters: Mapping[str, Any]
    inputs: Mapping[str, Any]
    data_ids: list[UUID]


@dataclass(frozen=True, slots=True, eq=False)
class Job(Record):
    """An import or a processing that the lake works on.

    :param type: ``IMPORT`` or ``PROCESSING``; None: the lake does not say.
    :param progress: counts such as ``total``, ``done`` and ``failed``; None: the lake does not say.
    :param error: why it failed, when the lake says.
    :param processing_job: what a processing is asked to do, as the lake wrote it; it holds a signed URL.
    """

    status: JobStatus
    type: str | None = None
    progress: Mapping[str, Any] | None = None
    error: str | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    processing_job: Mapping[str, Any] | None = field(default=None, repr=False)

    @classmethod
    def from_json(cls, session: Session, json: Json) -> Self:
        """Make the record of what the lake answered."""
        return cls(
            UUID(json["id"]),
            session,
            status=JobStatus(json["status"]),
            type=json.get("type"),
            progress=json.get("progress"),
            error=json.get("error"),
            created_at=parse_moment(json.get("created_at")),
            started_at=parse_moment(json.get("started_at")),
            finished_at=parse_moment(json.get("finished_at")),
            processing_job=json.get("processing_job"),
        )

    def refresh(self) -> Self:
        """Read it again."""
        return self.from_json(self.session, self.session.request("GET", f"/api/v2/job/{self.id}"))

    def wait_for_done(self, blocking_time_increment: float = 1.0, attempts: int = 20) -> Self:
        """Wait until it has succeeded, and return it as it is then.

        :param blocking_time_increment: seconds between two looks at it.
        :param attempts: number of looks.
        :raises JobFailedError: it failed.
        :raises JobKilledError: it was killed.
        :raises JobTimeoutError: it had not ended at the last look.
        """
        job = self
        for attempt in range(attempts):
            if attempt:
                time.sleep(blocking_time_increment)
            job = job.refresh()
            if job.status.is_final:
                return job.require_success()
        raise JobTimeoutError(job)

    def require_success(self) -> Self:
        """Return it if it has succeeded.

        :raises JobFailedError: it failed.
        :raises JobKilledError: it was killed.
        """
        if self.status == JobStatus.FAILED:
            raise JobFailedError(self, self.log_tail())
        if self.status == JobStatus.KILLED:
            raise JobKilledError(self, self.log_tail())
        return self

    def log_tail(self, limit: int = 100) -> list[str]:
        """Return the last lines of its log, oldest first; none where the lake does not show logs.

        :param limit: number of lines, at most 1,000.
        """
        try:
            page = self.session.request("GET", f"/api/v2/job/{self.id}/logs", params=[("limit", limit)])
        except ResponseError as error:
            if error.status not in _NO_ROUTE:
                raise
            return []
        return [item["line"] for item in page["items"]]

    def update_job_run_with_status(self, status: str) -> Self:
        """Report, as the program that does the work, that it began or how it ended.

        :param status: ``RUNNING``, ``SUCCEEDED`` or ``FAILED``.
        :raises ConflictError: the job has ended otherwise.
        """
        if status not in _REPORTS:
            raise UsageError(f"{status!r} is none of {', '.join(_REPORTS)}")
        # Repeatable: the same report twice says nothing new.
        path = f"/api/v2/job/{self.id}/{_REPORTS[status]}"
        return self.from_json(self.session, self.session.request("POST", path, repeatable=True))

    def kill(self) -> Self:
        """Ask the lake to end it."""
        # Repeatable: killing twice is killing once.
        json = self.session.request("POST", f"/api/v2/job/{self.id}/kill", repeatable=True)
        return self.from_json(self.session, json)

    def get_processing_task(self) -> ProcessingTask:
        """Return what the processing that this job runs is asked to do.

        :raises UsageError: the job runs no processing.
        """
        task = self.refresh().processing_job
        if task is None:
            raise UsageError(f"job {self.id} runs no processing")
        payload = jsonlib.loads(read_object(self.session, task["payload_presigned_url"]))
        return ProcessingTask(
            parse_id(task["target_id"]),
            task.get("parameters") or {},
            task.get("inputs") or {},
            [UUID(data_id) for data_id in payload["data_ids"]],
        )
