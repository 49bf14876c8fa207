"""The registration of stored objects as data."""

import json
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.routing import APIRoute
from pydantic import ValidationError

from airflow_provider_lake.server.context import Lake
from airflow_provider_lake.server.http.dependencies import AuthorizationDep, check_object, get_authorization
from airflow_provider_lake.server.http.request_check import check_address, check_json
from airflow_provider_lake.server.http.routes.data import data_responses
from airflow_provider_lake.server.http.routes.responses import json_response
from airflow_provider_lake.server.http.schemas.data import DataBody
from airflow_provider_lake.server.store.queries.registrations import Registration
from airflow_provider_lake.server.work.registrar import Registrar


class RegistrationRoute(APIRoute):
    """Authenticates before it reads the body, and resolves no dependencies.

    Registrations are the most frequent requests. FastAPI would read the body first, and spend a third of their time on
    the dependencies. The endpoint's entry in the OpenAPI description stays correct.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the function that handles a request."""

        async def handle(request: Request) -> Response:
            check_address(request)
            authorization = await get_authorization(request, _datalake_id(request), request.app.state.lake)
            return await create_data(authorization, await _read_body(request), request)

        return handle


router = APIRouter(route_class=RegistrationRoute)


@router.post("/api/datalake/{datalake_id}/datas", status_code=201)
async def create_data(authorization: AuthorizationDep, body: DataBody, request: Request) -> Response:
    """Register a stored object as data; 208 with the existing data, unchanged, if it is registered already."""
    lake: Lake = request.app.state.lake
    registrar: Registrar = request.app.state.registrar
    if authorization.caller.job_id is not None:
        await run_in_threadpool(check_object, lake, authorization.caller, body.object_name)
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


def _datalake_id(request: Request) -> UUID:
    text = request.path_params["datalake_id"]
    try:
        return UUID(text)
    except ValueError:
        place = ("path", "datalake_id")
        problem = {"type": "uuid_parsing", "loc": place, "msg": "Input should be a valid UUID", "input": text}
        raise RequestValidationError([problem]) from None


async def _read_body(request: Request) -> DataBody:
    """Return the body; for an invalid one, raise the same errors as FastAPI."""
    given: Any = await request.body()
    if _is_json(request.headers.get("content-type", "")):
        try:
            given = json.loads(given)
        except json.JSONDecodeError as error:
            problem = {"type": "json_invalid", "loc": ("body", error.pos), "msg": "JSON decode error", "input": {}}
            raise RequestValidationError([problem], body=error.doc) from None
        except (ValueError, RecursionError) as error:
            raise HTTPException(400, "There was an error parsing the body") from error
        check_json(given)
    try:
        return DataBody.model_validate(given)
    except ValidationError as error:
        problems = [each | {"loc": ("body", *each["loc"])} for each in error.errors(include_url=False)]
        raise RequestValidationError(problems, body=given) from None


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json"))
