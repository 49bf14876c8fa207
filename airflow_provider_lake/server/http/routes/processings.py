"""Processings: programs that work on data, and their launch."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from airflow_provider_lake.server.errors import BadRequestError, ConflictError, NotFoundError
from airflow_provider_lake.server.http.dependencies import (
    BackgroundDep,
    CallerDep,
    DatalakeDep,
    IdempotencyKeyDep,
    LakeDep,
    OrganizationDep,
    PageDep,
)
from airflow_provider_lake.server.http.routes.jobs import idempotent_request, job_response
from airflow_provider_lake.server.http.schemas.processing_inputs import InputChanges, InputDeclaration, check_inputs
from airflow_provider_lake.server.http.schemas.processings import (
    Launch,
    NewProcessing,
    ProcessingChanges,
    processing_json,
)
from airflow_provider_lake.server.store.queries import datalakes, jobs, processings
from airflow_provider_lake.server.store.states import JobKind
from airflow_provider_lake.server.store.tables import Datalake, Processing

# Maximum number of unknown ids that an error lists.
_NAMED = 10

router = APIRouter()


@router.post("/api/organization/{organization_id}/processings", status_code=201)
def create_processing(organization_id: OrganizationDep, body: NewProcessing, lake: LakeDep) -> dict[str, Any]:
    """Create a processing; it can be launched once a command is registered for it."""
    with lake.database.writing() as session:
        return processing_json(processings.create(session, organization_id, body.model_dump()))


@router.get("/api/organization/{organization_id}/processings")
def list_processings(organization_id: OrganizationDep, page: PageDep, lake: LakeDep) -> dict[str, Any]:
    """List an organization's processings."""
    with lake.database.reading() as session:
        items, count = processings.list_processings(session, organization_id, page.limit, page.offset, page.order_by)
    return {"items": [processing_json(item) for item in items], "count": count}


@router.get("/api/organization/{organization_id}/processings/find")
def find_processing(organization_id: OrganizationDep, name: str, lake: LakeDep) -> dict[str, Any]:
    """Describe the processing of this name."""
    with lake.database.reading() as session:
        processing = processings.find_processing(session, organization_id, name)
    if processing is None:
        raise NotFoundError(f"no processing named {name!r}")
    return processing_json(processing)


@router.get("/api/processings/public/find")
def find_public_processing(name: str, lake: LakeDep, caller: CallerDep) -> dict[str, Any]:
    """Describe a public processing: on this lake, one of the caller's organization."""
    return find_processing(caller.organization_id, name, lake)


@router.get("/api/processing/{processing_id}")
def get_processing(processing_id: UUID, lake: LakeDep, caller: CallerDep) -> dict[str, Any]:
    """Describe one processing."""
    with lake.database.reading() as session:
        return processing_json(processings.get_processing(session, caller.organization_id, processing_id))


@router.patch("/api/processing/{processing_id}")
def update_processing(processing_id: UUID, body: ProcessingChanges, lake: LakeDep, caller: CallerDep) -> dict[str, Any]:
    """Change those fields of a processing that are in the body."""
    with lake.database.writing() as session:
        processing = processings.get_processing(session, caller.organization_id, processing_id)
        for name, value in body.model_dump(exclude_unset=True).items():
            setattr(processing, name, value)
        return processing_json(processing)


@router.delete("/api/processing/{processing_id}", status_code=204)
def delete_processing(processing_id: UUID, lake: LakeDep, caller: CallerDep) -> Response:
    """Delete a processing; its jobs stay, and those that wait still run."""
    with lake.database.writing() as session:
        session.delete(processings.get_processing(session, caller.organization_id, processing_id))
    return Response(status_code=204)


@router.post("/api/datalake/{datalake_id}/processing/launch")
def launch_processing(
    datalake: DatalakeDep,
    body: Launch,
    lake: LakeDep,
    caller: CallerDep,
    background: BackgroundDep,
    request: Request,
    key: IdempotencyKeyDep = None,
) -> dict[str, Any]:
    """Launch a processing on data of a datalake."""
    data_ids = list(dict.fromkeys(body.data_ids))
    if not data_ids:
        raise BadRequestError("data_ids is empty: a processing needs data to work on")
    keyed = idempotent_request(request, key, body)
    with lake.database.writing() as session:
        job = jobs.find_by_key(session, datalake.id, keyed)
        if job is None:
            processing = processings.get_processing(session, caller.organization_id, body.processing_id)
            _check_data(session, datalake, data_ids)
            _check_inputs(session, datalake.organization_id, processing, body)
            payload = _payload(processing, body) | {
                "data_ids": [str(data_id) for data_id in data_ids],
                "user_id": str(caller.user_id),
            }
            kind = JobKind.PROCESSING
            job = jobs.create(session, datalake.id, kind, payload, processing_id=processing.id, request=keyed)
    background.job_added()
    return job_response(lake, job, request)


@router.get("/api/processing/{processing_id}/inputs")
def list_inputs(processing_id: UUID, lake: LakeDep, caller: CallerDep) -> dict[str, Any]:
    """List the inputs that a processing declares."""
    with lake.database.reading() as session:
        declared = processings.get_processing(session, caller.organization_id, processing_id).inputs
    return {"items": list(declared.values()), "count": len(declared)}


@router.post("/api/processing/{processing_id}/inputs", status_code=201)
def add_input(processing_id: UUID, body: InputDeclaration, lake: LakeDep, caller: CallerDep) -> dict[str, Any]:
    """Declare an input; 409 if there is one of that name."""
    with lake.database.writing() as session:
        processing = processings.get_processing(session, caller.organization_id, processing_id)
        if body.name in processing.inputs:
            raise ConflictError(f"processing {processing.name!r} has an input named {body.name!r} already")
        processing.inputs = processing.inputs | {body.name: body.model_dump()}
        return dict(processing.inputs[body.name])


@router.put("/api/processing/{processing_id}/inputs/{name:path}")
def update_input(
    processing_id: UUID, name: str, body: InputChanges, lake: LakeDep, caller: CallerDep
) -> dict[str, Any]:
    """Change a declared input."""
    with lake.database.writing() as session:
        processing = _get_declaring(session, caller.organization_id, processing_id, name)
        processing.inputs = processing.inputs | {name: processing.inputs[name] | body.model_dump()}
        return dict(processing.inputs[name])


@router.delete("/api/processing/{processing_id}/inputs/{name:path}", status_code=204)
def delete_input(processing_id: UUID, name: str, lake: LakeDep, caller: CallerDep) -> None:
    """Delete the declaration of an input."""
    with lake.database.writing() as session:
        processing = _get_declaring(session, caller.organization_id, processing_id, name)
        processing.inputs = {each: kept for each, kept in processing.inputs.items() if each != name}


def _get_declaring(session: Session, organization_id: UUID, processing_id: UUID, name: str) -> Processing:
    processing = processings.get_processing(session, organization_id, processing_id)
    if name not in processing.inputs:
        raise NotFoundError(f"processing {processing.name!r} has no input named {name!r}")
    return processing


def _check_data(session: Session, datalake: Datalake, data_ids: Sequence[UUID]) -> None:
    missing = processings.missing_data(session, datalake.id, data_ids)
    if missing:
        named = ", ".join(str(data_id) for data_id in missing[:_NAMED])
        raise NotFoundError(f"{len(missing)} of the data are not in datalake {datalake.name!r}: {named}")


def _check_inputs(session: Session, organization_id: UUID, processing: Processing, body: Launch) -> None:
    # Without declarations, the inputs are passed on unchecked.
    if processing.inputs:
        known = {datalake.id for datalake in datalakes.list_datalakes(session, organization_id)}
        check_inputs(processing.inputs, body.inputs, known.__contains__)


def _payload(processing: Processing, body: Launch) -> dict[str, Any]:
    if processing.command is None:
        raise ConflictError(
            f"processing {processing.name!r} has no command on this lake; "
            f"register one: lake processing register {processing.name!r} -- COMMAND"
        )
    return {
        "command": processing.command,
        "parameters": processing.default_parameters if body.parameters is None else body.parameters,
        "cpu": processing.default_cpu if body.cpu is None else body.cpu,
        "gpu": processing.default_gpu if body.gpu is None else body.gpu,
        "inputs": body.inputs,
    }
