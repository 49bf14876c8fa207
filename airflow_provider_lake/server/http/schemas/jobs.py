"""Jobs in requests and responses."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from airflow_provider_lake.server.store.states import JobKind
from airflow_provider_lake.server.store.tables import Job, JobLog


class LogBody(BaseModel):
    """Lines to add to a job's log."""

    log: str | list[str]
    part: Annotated[str, Field(max_length=256)] | None = None

    @property
    def lines(self) -> list[str]:
        """The lines, one by one."""
        texts = [self.log] if isinstance(self.log, str) else self.log
        return [line for text in texts for line in (text.splitlines() or [""])]


class SavedLogBody(BaseModel):
    """The object in which a program stored its log."""

    logging_object_name: str


def job_json(job: Job, payload_url: str | None = None) -> dict[str, Any]:
    """Describe a job.

    :param payload_url: URL from which the program of a processing gets its data ids.
    """
    body = {
        "id": job.id,
        "type": job.kind,
        "status": job.status,
        "progress": job.progress and {name: value for name, value in job.progress.items() if name != "after"},
        "error": job.error,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
    }
    if job.kind == JobKind.PROCESSING:
        body["processing_job"] = {
            "target_id": job.datalake_id,
            "parameters": job.payload["parameters"],
            "inputs": job.payload["inputs"],
            "cpu": job.payload["cpu"],
            "gpu": job.payload["gpu"],
            "payload_presigned_url": payload_url,
        }
    return body


def log_json(log: JobLog) -> dict[str, Any]:
    """Describe one line of a log."""
    return {"part": log.part, "line": log.line, "created_at": log.created_at}
