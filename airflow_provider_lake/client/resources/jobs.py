"""Asynchronous jobs of the lake."""

import json as jsonlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from airflow_provider_lake.client.arguments import read_number, read_seconds
from airflow_provider_lake.client.concurrency.cancellation import pause
from airflow_provider_lake.client.errors import (
    JobFailedError,
    JobKilledError,
    JobTimeoutError,
    LakeError,
    ResponseError,
    UsageError,
)
from airflow_provider_lake.client.resources.base import Json, Record, parse_id, parse_timestamp
from airflow_provider_lake.client.resources.job_log import JobLog
from airflow_provider_lake.client.resources.states import JobStatus
from airflow_provider_lake.client.transfers.download import read_object
from airflow_provider_lake.client.transfers.files import open_file
from airflow_provider_lake.client.transfers.storage import ObjectStorage
from airflow_provider_lake.client.transport.fields import explain_shape, page_items, read_field
from airflow_provider_lake.client.transport.session import Session
from airflow_provider_lake.media.kinds import content_type_of

# Statuses with which a lake responds that does not have a route.
_UNSUPPORTED_STATUSES = frozenset({404, 405})
# Reported state to the last segment of its route.
_REPORT_ROUTES = {"RUNNING": "running", "SUCCEEDED": "succeed", "FAILED": "fail"}


@dataclass(frozen=True, slots=True)
class ProcessingTask:
    """The work that a job gives its processing.

    :param datalake_id: the datalake of the data.
    :param parameters: of this run.
    :param inputs: of this run.
    :param data_ids: the data to work on.
    """

    datalake_id: UUID
    parameters: Mapping[str, Any]
    inputs: Mapping[str, Any]
    data_ids: list[UUID]


@dataclass(frozen=True, slots=True, eq=False)
class Job(Record):
    """An import or a processing that the lake works on.

    :param type: ``IMPORT`` or ``PROCESSING``; None: the lake does not report it.
    :param progress: counts such as ``total``, ``done`` and ``failed``; None: the lake does not report them.
    :param error: why it failed, if the lake reports it.
    :param processing_job: the work of a processing, as the lake sent it; it holds a presigned URL.
    :param job_log: state of the log that this program writes for the job.
    """

    status: JobStatus
    type: str | None = None
    progress: Mapping[str, Any] | None = None
    error: str | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    processing_job: Mapping[str, Any] | None = field(default=None, repr=False)
    job_log: JobLog = field(default_factory=JobLog, repr=False)

    @classmethod
    @explain_shape("job")
    def from_json(cls, session: Session, json: Json) -> Self:
        """Make the record from the lake's response."""
        return cls(
            UUID(json["id"]),
            session,
            status=JobStatus(json["status"]),
            type=json.get("type"),
            progress=json.get("progress"),
            error=json.get("error"),
            created_at=parse_timestamp(json.get("created_at")),
            started_at=parse_timestamp(json.get("started_at")),
            finished_at=parse_timestamp(json.get("finished_at")),
            processing_job=json.get("processing_job"),
        )

    def refresh(self) -> Self:
        """Read it again and return its present state."""
        return self._updated(self.session.request("GET", self._path))

    def wait_for_done(self, blocking_time_increment: float = 1.0, attempts: int = 20) -> Self:
        """Wait until it has succeeded, and return it in its new state.

        :param blocking_time_increment: seconds between two polls.
        :param attempts: number of polls.
        :raises JobFailedError: it failed.
        :raises JobKilledError: it was killed.
        :raises JobTimeoutError: it had not ended at the last poll.
        """
        job = self
        for attempt in range(read_number("attempts", attempts)):
            if attempt:
                pause(read_seconds("blocking_time_increment", blocking_time_increment))
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
            raise JobFailedError(self, self._log_tail_or_none())
        if self.status == JobStatus.KILLED:
            raise JobKilledError(self, self._log_tail_or_none())
        return self

    def log_tail(self, limit: int = 100) -> list[str]:
        """Return the last lines of its log, oldest first; none if the lake does not offer logs.

        :param limit: number of lines, at most 1,000.
        """
        try:
            page = self.session.request("GET", f"{self._path}/logs", params=[("limit", limit)])
        except ResponseError as error:
            if error.status not in _UNSUPPORTED_STATUSES:
                raise
            return []
        return [read_field(item, "line", str) for item in page_items(page)]

    def _log_tail_or_none(self) -> list[str]:
        try:
            return self.log_tail()
        except LakeError as error:
            # The failure of the job is known, and matters more.
            return [f"its log cannot be read: {error}"]

    def update_job_run_with_status(self, status: str) -> Self:
        """Report, as the program that does the work, that it started or how it ended.

        :param status: ``RUNNING``, ``SUCCEEDED`` or ``FAILED``.
        :raises ConflictError: the job has ended in another state.
        """
        if status not in _REPORT_ROUTES:
            raise UsageError(f"{status!r} is none of {', '.join(_REPORT_ROUTES)}")
        # Repeatable: the same report twice changes nothing.
        return self._updated(self.session.request("POST", f"{self._path}/{_REPORT_ROUTES[status]}", repeatable=True))

    def kill(self) -> Self:
        """Request that the lake ends it."""
        # Repeatable: killing twice changes nothing.
        return self._updated(self.session.request("POST", f"{self._path}/kill", repeatable=True))

    def send_logging(
        self, log: str | Sequence[str], part: str, final: bool = False, special: str | bool | Sequence[str] = False
    ) -> None:
        """Append to its log, as the program that does the work.

        :param log: a line or several.
        :param part: part of the log to which they belong.
        :param final: whether the part ends with them.
        :param special: whether, or how, to highlight them.
        """
        body = {"line_nb": self.job_log.next_number(), "log": log, "final": final, "part": part, "special": special}
        # Repeatable: the number identifies a line, and a line logged twice does no harm.
        self.session.request("POST", f"{self._path}/logging", json=body, repeatable=True)

    def start_logging_chapter(self, name: str) -> None:
        """Start a chapter in the output of this program; visible on the platform only."""
        self.job_log.start_chapter(name)

    def start_logging_buffer(self, length: int = 1) -> None:
        """Let the next printed lines replace each other until the buffer ends; visible on the platform only.

        :param length: number of lines shown at a time.
        """
        self.job_log.start_buffer(length)

    def end_logging_buffer(self) -> None:
        """End the buffer: printed lines follow each other again."""
        self.job_log.end_buffer()

    def store_logging_file(self, path: str | Path) -> str:
        """Store a file as its whole log, in the organization's default object storage, and return its object name.

        :raises UploadError: the file cannot be read.
        :raises TransferError: the storage refuses it.
        """
        if self.session.connector_id is None:
            raise UsageError("the organization has no default connector: there is no place for a log")
        storage = ObjectStorage(self.session, self.session.connector_id)
        with open_file(str(path)) as local:
            object_name = storage.generate_object_name(local.name, "LOGGING", context={"job_id": self.id})
            storage.store(local, object_name, content_type_of(local.name))
        # Repeatable: the same file replaces itself.
        body = {"logging_object_name": object_name}
        saved = self.session.request("POST", f"{self._path}/logging/save", json=body, repeatable=True)
        return read_field(saved, "logging_object_name", str)

    def get_processing_task(self) -> ProcessingTask:
        """Return the work of the processing that this job runs.

        :raises UsageError: the job runs no processing.
        """
        task = self.refresh().processing_job
        if task is None:
            raise UsageError(f"job {self.id} runs no processing")
        return self._read_task(task)

    @explain_shape("processing's task")
    def _read_task(self, task: Mapping[str, Any]) -> ProcessingTask:
        payload = jsonlib.loads(read_object(self.session, task["payload_presigned_url"]))
        return ProcessingTask(
            parse_id(task["target_id"]),
            task.get("parameters") or {},
            task.get("inputs") or {},
            [UUID(data_id) for data_id in payload["data_ids"]],
        )

    @property
    def _path(self) -> str:
        return f"/api/v2/job/{self.id}"

    def _updated(self, json: Json) -> Self:
        """Make the record from the lake's response; it shares the log's state."""
        return replace(self.from_json(self.session, json), job_log=self.job_log)
