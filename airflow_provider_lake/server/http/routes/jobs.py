"""Jobs: their state, reports, logs, and how to kill them."""

import hashlib
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from sqlalchemy.orm import Session

from airflow_provider_lake.server.blobs.names import check_object_name
from airflow_provider_lake.server.context import Lake
from airflow_provider_lake.server.errors import ForbiddenError
from airflow_provider_lake.server.http.auth.caller import Caller
from airflow_provider_lake.server.http.dependencies import (
    MAX_OFFSET,
    BackgroundDep,
    CallerDep,
    LakeDep,
    OrganizationDep,
    base_url,
)
from airflow_provider_lake.server.http.schemas.jobs import LogBody, SavedLogBody, job_json, log_json
from airflow_provider_lake.server.store.queries import jobs
from airflow_provider_lake.server.store.queries.jobs import IdempotentRequest
from airflow_provider_lake.server.store.states import JobKind, JobStatus
from airflow_provider_lake.server.store.tables import Job

MAX_TAIL = 1000
DEFAULT_TAIL = 100
MAX_JOBS = 100
DEFAULT_JOBS = 50

router = APIRouter()


def job_response(lake: Lake, job: Job, request: Request) -> dict[str, Any]:
    """Return the JSON of a job; that of a processing has a presigned URL for its data ids."""
    if job.kind != JobKind.PROCESSING:
        return job_json(job)
    return job_json(job, lake.signer.sign_url("GET", base_url(request), _payload_path(job.id)))


def idempotent_request(request: Request, key: str | None, body: BaseModel) -> IdempotentRequest | None:
    """Return the key of a request and a digest of its path and body; None if it has no key."""
    if key is None:
        return None
    asked = f"{request.scope['path']}\n{body.model_dump_json()}"
    return IdempotentRequest(key, hashlib.sha256(asked.encode()).hexdigest())


@router.get("/api/v2/job/{job_id}")
def get_job(job_id: UUID, lake: LakeDep, caller: CallerDep, request: Request) -> dict[str, Any]:
    """Describe one job."""
    with lake.database.reading() as session:
        job = jobs.get_job(session, caller.organization_id, job_id)
    caller.check_datalake(job.datalake_id)
    return job_response(lake, job, request)


@router.get("/api/organization/{organization_id}/jobv2s/find")
def find_job(
    organization_id: OrganizationDep, id: UUID, lake: LakeDep, caller: CallerDep, request: Request
) -> dict[str, Any]:
    """Describe one job, at the path that programs of processings request."""
    return get_job(id, lake, caller, request)


@router.get("/api/organization/{organization_id}/jobs")
def list_jobs(
    organization_id: OrganizationDep,
    lake: LakeDep,
    request: Request,
    id: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_JOBS)] = DEFAULT_JOBS,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
) -> dict[str, Any]:
    """List the jobs of an organization, the newest first, each with its datalake and the name of its processing."""
    with lake.database.reading() as session:
        found, count = jobs.list_newest(session, organization_id, id, limit, offset)
        items = [
            job_response(lake, job, request) | {"datalake_id": job.datalake_id, "processing": name}
            for job, name in found
        ]
    return {"items": items, "count": count}


@router.post("/api/v2/job/{job_id}/running")
def report_running(job_id: UUID, lake: LakeDep, caller: CallerDep, request: Request) -> dict[str, Any]:
    """Record that a job's program has started."""
    return _report(lake, caller, request, job_id, JobStatus.RUNNING)


@router.post("/api/v2/job/{job_id}/succeed")
def report_success(job_id: UUID, lake: LakeDep, caller: CallerDep, request: Request) -> dict[str, Any]:
    """Record that a job's program succeeded."""
    return _report(lake, caller, request, job_id, JobStatus.SUCCEEDED)


@router.post("/api/v2/job/{job_id}/fail")
def report_failure(job_id: UUID, lake: LakeDep, caller: CallerDep, request: Request) -> dict[str, Any]:
    """Record that a job's program failed."""
    return _report(lake, caller, request, job_id, JobStatus.FAILED)


@router.post("/api/v2/job/{job_id}/kill")
def kill_job(
    job_id: UUID, lake: LakeDep, caller: CallerDep, background: BackgroundDep, request: Request
) -> dict[str, Any]:
    """Kill a waiting or running job."""
    with lake.database.writing() as session:
        job = _get_own_job(session, caller, job_id)
        jobs.set_status(job, JobStatus.KILLED)
    background.job_killed(job_id)
    return job_response(lake, job, request)


@router.post("/api/v2/job/{job_id}/logging")
def append_log(job_id: UUID, body: LogBody, lake: LakeDep, caller: CallerDep) -> dict[str, Any]:
    """Append lines to a job's log."""
    with lake.database.writing() as session:
        job = _get_own_job(session, caller, job_id)
        jobs.record_activity(session, job.id)
        jobs.append_lines(session, job.id, body.lines, body.part)
    return {}


@router.post("/api/v2/job/{job_id}/logging/save")
def save_log(job_id: UUID, body: SavedLogBody, lake: LakeDep, caller: CallerDep) -> dict[str, Any]:
    """Record the object that contains a job's whole log."""
    object_name = check_object_name(body.logging_object_name)
    with lake.database.writing() as session:
        job = _get_own_job(session, caller, job_id)
        job.payload = job.payload | {"logging_object_name": object_name}
    return {"logging_object_name": object_name}


@router.get("/api/v2/job/{job_id}/logs")
def tail_log(
    job_id: UUID, lake: LakeDep, caller: CallerDep, limit: Annotated[int, Query(ge=1, le=MAX_TAIL)] = DEFAULT_TAIL
) -> dict[str, Any]:
    """Return the last lines of a job's log, oldest first."""
    with lake.database.reading() as session:
        job = jobs.get_job(session, caller.organization_id, job_id)
        lines, count = jobs.tail_log(session, job.id, limit)
    return {"items": [log_json(line) for line in lines], "count": count}


@router.get("/storage/payload/{job_id}")
def get_payload(job_id: UUID, lake: LakeDep, request: Request) -> dict[str, Any]:
    """Return the data ids of a processing job; the URL's signature replaces a token."""
    lake.signer.check_url("GET", _payload_path(job_id), request.query_params)
    with lake.database.reading() as session:
        return {"data_ids": jobs.get_payload(session, job_id)["data_ids"]}


def _report(lake: Lake, caller: Caller, request: Request, job_id: UUID, status: JobStatus) -> dict[str, Any]:
    with lake.database.writing() as session:
        job = _get_own_job(session, caller, job_id)
        jobs.record_report(job, status)
    return job_response(lake, job, request)


def _get_own_job(session: Session, caller: Caller, job_id: UUID) -> Job:
    """Return a job that the caller may change: a job's token gives access to that job only."""
    if caller.job_id is not None and caller.job_id != job_id:
        raise ForbiddenError(f"the token of job {caller.job_id} does not allow changes of job {job_id}")
    return jobs.get_job(session, caller.organization_id, job_id)


def _payload_path(job_id: UUID) -> str:
    return f"/storage/payload/{job_id}"
