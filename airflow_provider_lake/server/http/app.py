"""Combines lake, background workers, routes and error handlers into one application; the only module that does."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from airflow_provider_lake.server.context import Lake
from airflow_provider_lake.server.errors import ApiError
from airflow_provider_lake.server.http.auth.auth_cache import AuthCache
from airflow_provider_lake.server.http.auth.failed_logins import FailedLogins
from airflow_provider_lake.server.http.body_limit import BodyLimit
from airflow_provider_lake.server.http.failures import add_failure_handlers
from airflow_provider_lake.server.http.request_check import check_request
from airflow_provider_lake.server.http.routes import (
    custom_metadata,
    data,
    datalakes,
    imports,
    jobs,
    object_storage,
    pages,
    processings,
    projections,
    registrations,
    sources,
    storage,
    tags,
)
from airflow_provider_lake.server.work.background import Background
from airflow_provider_lake.server.work.registrar import Registrar

logger = logging.getLogger(__name__)
# Routes are tried in this order; registrations are the most frequent requests.
_ROUTES = (
    registrations,
    datalakes,
    custom_metadata,
    tags,
    sources,
    data,
    projections,
    object_storage,
    storage,
    imports,
    processings,
    jobs,
    pages,
)


def create_app(lake: Lake, background: Background) -> FastAPI:
    """Return the application that serves a lake; the background work runs as long as the application."""
    registrar = Registrar(lake, background.data_added)

    @asynccontextmanager
    async def run_workers(_app: FastAPI) -> AsyncIterator[None]:
        background.start()
        registrar.start()
        try:
            yield
        finally:
            registrar.stop()
            background.stop()

    app = FastAPI(
        title="Embedded lake", lifespan=run_workers, redirect_slashes=False, dependencies=[Depends(check_request)]
    )
    app.state.lake = lake
    app.state.logins = FailedLogins()
    app.state.background = background
    app.state.registrar = registrar
    app.state.auth_cache = AuthCache()
    for module in _ROUTES:
        app.include_router(module.router)
    app.add_middleware(BodyLimit)
    app.add_exception_handler(ApiError, _handle_api_error)
    app.add_exception_handler(RequestValidationError, _handle_validation_error)
    app.add_exception_handler(HTTPException, _handle_http_error)
    add_failure_handlers(app)
    app.add_exception_handler(Exception, _handle_unexpected)
    return app


def _handle_api_error(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, ApiError):
        raise error
    return JSONResponse(error.body(), error.status, error.headers)


def _handle_validation_error(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    problems = [_describe_problem(problem) for problem in error.errors()]
    return JSONResponse({"message": f"invalid request: {problems[0]}", "detail": problems}, 422)


def _describe_problem(problem: dict[str, Any]) -> str:
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg']}".encode("utf-8", "replace").decode()


def _handle_http_error(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse({"message": error.detail}, error.status_code, error.headers)


def _handle_unexpected(request: Request, error: Exception) -> JSONResponse:
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return JSONResponse({"message": "internal error; the log of the lake has the details"}, 500)
