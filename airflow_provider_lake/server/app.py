"""The only wiring: lake, workers, routes and error answers become one application."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from airflow_provider_lake.server.admissions import Admissions
from airflow_provider_lake.server.body_limit import BodyLimit
from airflow_provider_lake.server.context import Lake
from airflow_provider_lake.server.errors import ApiError
from airflow_provider_lake.server.failed_logins import FailedLogins
from airflow_provider_lake.server.failures import add_failure_handlers
from airflow_provider_lake.server.request_check import check_request
from airflow_provider_lake.server.routes import (
    custom_metadata,
    data,
    datalakes,
    imports,
    jobs,
    object_storage,
    pages,
    processings,
    projections,
    sources,
    storage,
    tags,
)
from airflow_provider_lake.server.work.media import MediaWorker
from airflow_provider_lake.server.work.registrar import Registrar
from airflow_provider_lake.server.work.runner import JobRunner
from airflow_provider_lake.server.work.thumbnails import ThumbnailWorker

logger = logging.getLogger(__name__)
_ROUTES = (
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


def create_app(lake: Lake) -> FastAPI:
    """Return the application that serves a lake; its workers run as long as it does."""
    thumbnails = ThumbnailWorker(lake)

    @asynccontextmanager
    async def run_workers(app: FastAPI) -> AsyncIterator[None]:
        app.state.runner.start()
        app.state.media.start()
        app.state.registrar.start()
        thumbnails.start()
        try:
            yield
        finally:
            app.state.registrar.stop()
            app.state.runner.stop()
            app.state.media.stop()
            thumbnails.stop()

    app = FastAPI(
        title="Embedded lake", lifespan=run_workers, redirect_slashes=False, dependencies=[Depends(check_request)]
    )
    app.state.lake = lake
    app.state.logins = FailedLogins()
    app.state.runner = JobRunner(lake)
    app.state.media = MediaWorker(lake)
    app.state.registrar = Registrar(lake, app.state.media.wake)
    app.state.admissions = Admissions()
    for module in _ROUTES:
        app.include_router(module.router)
    app.add_middleware(BodyLimit)
    app.add_exception_handler(ApiError, _answer_api_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http_error)
    add_failure_handlers(app)
    app.add_exception_handler(Exception, _answer_unexpected)
    return app


def _answer_api_error(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, ApiError):
        raise error
    return JSONResponse(error.body(), error.status, error.headers)


def _answer_invalid(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    problems = [_describe(problem) for problem in error.errors()]
    return JSONResponse({"message": f"invalid request: {problems[0]}", "detail": problems}, 422)


def _describe(problem: dict[str, Any]) -> str:
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg']}".encode("utf-8", "replace").decode()


def _answer_http_error(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse({"message": error.detail}, error.status_code, error.headers)


def _answer_unexpected(request: Request, error: Exception) -> JSONResponse:
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return JSONResponse({"message": "internal error; the log of the lake has the details"}, 500)
