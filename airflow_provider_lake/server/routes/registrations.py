"""Data: make them of stored objects. Of all requests these come in the greatest number."""

from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute

from airflow_provider_lake.server.deps import (
    AdmissionDep,
    LakeDep,
    RegistrarDep,
    check_object,
    get_admission,
    get_lake,
    get_registrar,
)
from airflow_provider_lake.server.errors import BadRequestError
from airflow_provider_lake.server.queries.registrations import Registration
from airflow_provider_lake.server.request_check import check_json
from airflow_provider_lake.server.routes.answers import json_answer
from airflow_provider_lake.server.routes.data import describe_all
from airflow_provider_lake.server.schemas.data import DataBody

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class _Route(APIRoute):
    """Takes a good request apart by itself, which costs less than dependencies do; any other it leaves to FastAPI."""

    def get_route_handler(self) -> _Handler:
        """Return what answers a request."""
        ordinary = super().get_route_handler()

        async def handle(request: Request) -> Response:
            read = await _read(request)
            if read is None:
                return await ordinary(request)
            datalake_id, body = read
            lake = await get_lake(request)
            admission = await get_admission(request, datalake_id, lake)
            return await create_data(admission, body, lake, await get_registrar(request), request)

        return handle


router = APIRouter(route_class=_Route)


@router.post("/api/datalake/{datalake_id}/datas", status_code=201)
async def create_data(
    admission: AdmissionDep, body: DataBody, lake: LakeDep, registrar: RegistrarDep, request: Request
) -> Response:
    """Make a stored object a data; 208 and the data as it is where the object is one already."""
    values = {
        "object_name": body.object_name,
        "filename": body.filename,
        "type": body.type,
        "content_type": body.content_type,
        "width": body.meta and body.meta.width,
        "height": body.meta and body.meta.height,
        "metadata": body.metadata,
        "custom_metadata": body.custom_metadata,
        "data_source_id": body.data_source_id,
    }
    datalake, caller = admission.datalake, admission.caller
    if caller.job_id is not None:
        await run_in_threadpool(check_object, lake, caller, body.object_name)
    wanted = Registration(admission.token_sha256, datalake.organization_id, datalake.id, values, body.tags)
    registered = await registrar.register(wanted)
    store = lake.stores.of(datalake.organization_id)
    return json_answer(describe_all(store, request, registered.listing)[0], 201 if registered.is_new else 208)


async def _read(request: Request) -> tuple[UUID, DataBody] | None:
    """Return the datalake and the body; None: something about the request is unusual, or wrong."""
    if request.scope["query_string"] or request.headers.get("content-type") != "application/json":
        return None
    try:
        content = await request.json()
        check_json(content)
        return UUID(request.path_params["datalake_id"]), DataBody.model_validate(content)
    except (ValueError, RecursionError, BadRequestError):
        return None
