"""Data: make them of stored objects."""

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from airflow_provider_lake.server.context import Lake
from airflow_provider_lake.server.http.auth.auth_cache import Authorization
from airflow_provider_lake.server.http.dependencies import AuthorizationDep, LakeDep, RegistrarDep, check_object
from airflow_provider_lake.server.http.routes.data import data_responses
from airflow_provider_lake.server.http.routes.responses import json_response
from airflow_provider_lake.server.http.schemas.data import DataBody
from airflow_provider_lake.server.store.queries.registrations import Registration
from airflow_provider_lake.server.work.registrar import Registrar

router = APIRouter()


@router.post("/api/datalake/{datalake_id}/datas", status_code=201)
async def create_data(
    authorization: AuthorizationDep, body: DataBody, lake: LakeDep, registrar: RegistrarDep, request: Request
) -> Response:
    """Make a stored object a data; 208 and the data as it is where the object is one already."""
    if hasattr(request.state, "failure"):
        # It was tried already, a moment ago.
        raise request.state.failure
    if authorization.caller.job_id is not None:
        await run_in_threadpool(check_object, lake, authorization.caller, body.object_name)
    return await register(lake, registrar, authorization, body, request)


async def register(
    lake: Lake, registrar: Registrar, authorization: Authorization, body: DataBody, request: Request
) -> Response:
    """Make an object a data, and answer with that."""
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
    datalake = authorization.datalake
    wanted = Registration(authorization.token_sha256, datalake.organization_id, datalake.id, values, body.tags)
    registered = await registrar.register(wanted)
    store = lake.stores.for_organization(datalake.organization_id)
    return json_response(data_responses(store, request, registered.listing)[0], 201 if registered.is_new else 208)
