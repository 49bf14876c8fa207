"""The dependencies of routes: the lake, the caller, the datalake, the page."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Query, Request
from fastapi.concurrency import run_in_threadpool

from airflow_provider_lake.server.context import Lake
from airflow_provider_lake.server.errors import ForbiddenError, NotFoundError, UnauthorizedError
from airflow_provider_lake.server.http.auth import job_tokens
from airflow_provider_lake.server.http.auth.auth_cache import AuthCache, Authorization
from airflow_provider_lake.server.http.auth.caller import Caller
from airflow_provider_lake.server.http.auth.failed_logins import FailedLogins
from airflow_provider_lake.server.store.queries import datalakes, tokens
from airflow_provider_lake.server.store.queries.job_scope import is_of_other_datalake
from airflow_provider_lake.server.store.tables import Datalake
from airflow_provider_lake.server.work.background import Background

MAX_PAGE = 1000
DEFAULT_PAGE = 100
# Larger offsets fit no database's integers.
MAX_OFFSET = 2**62


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is requested.

    :param limit: items at the most.
    :param offset: items skipped before the first.
    :param order_by: field names, ``-`` before one that descends; empty: in the order of creation.
    """

    limit: int
    offset: int
    order_by: tuple[str, ...]


async def get_lake(request: Request) -> Lake:
    """Return the lake that serves this request."""
    lake: Lake = request.app.state.lake
    return lake


LakeDep = Annotated[Lake, Depends(get_lake)]


async def get_background(request: Request) -> Background:
    """Return the background work, which runs jobs, for example."""
    background: Background = request.app.state.background
    return background


BackgroundDep = Annotated[Background, Depends(get_background)]


def get_caller(request: Request, lake: LakeDep) -> Caller:
    """Return the caller, by the bearer token.

    :raises UnauthorizedError: no token, or an unknown one.
    :raises ForbiddenError: a job's token is not good for this.
    :raises TooManyRequestsError: too many unknown ones came from this address.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise UnauthorizedError("no API token: send it as 'Authorization: Bearer <token>'")
    logins: FailedLogins = request.app.state.logins
    address = request.client.host if request.client else ""
    digest = tokens.digest_of(token)
    logins.check(address, digest)
    with lake.database.reading() as session:
        found = tokens.find_token(session, digest)
        if found is None:
            logins.record_failure(address, digest)
            raise UnauthorizedError("this lake does not know the API token")
        logins.record_success(address, digest)
        if found.job_id is None:
            return Caller(found.user_id, found.organization_id)
        datalake_id = tokens.datalake_of_job(session, found.job_id)
        job_tokens.check_route(session, request, datalake_id)
    return Caller(found.user_id, found.organization_id, found.job_id, datalake_id)


def check_object(lake: Lake, caller: Caller, object_name: str) -> None:
    """Let an object be read or replaced.

    :raises ForbiddenError: the token is a job's, and the object another datalake's.
    """
    if caller.datalake_id is None:
        return
    with lake.database.reading() as session:
        is_foreign = is_of_other_datalake(session, caller.organization_id, caller.datalake_id, object_name)
    if is_foreign:
        raise ForbiddenError(job_tokens.REFUSAL)


CallerDep = Annotated[Caller, Depends(get_caller)]


async def get_organization_id(organization_id: UUID, caller: CallerDep) -> UUID:
    """Return the organization id of the path.

    :raises NotFoundError: it is not the caller's.
    """
    if organization_id != caller.organization_id:
        raise NotFoundError(f"no organization with id {organization_id}")
    return organization_id


OrganizationDep = Annotated[UUID, Depends(get_organization_id)]


def get_datalake(datalake_id: UUID, lake: LakeDep, caller: CallerDep) -> Datalake:
    """Return the datalake of the path.

    :raises NotFoundError: the caller's organization has none of that id.
    """
    with lake.database.reading() as session:
        return datalakes.get_datalake(session, caller.organization_id, datalake_id)


DatalakeDep = Annotated[Datalake, Depends(get_datalake)]


async def get_page(
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
    order_by: Annotated[list[str] | None, Query()] = None,
) -> Page:
    """Return the page that the query string requests."""
    return Page(limit, offset, tuple(order_by or ()))


PageDep = Annotated[Page, Depends(get_page)]


# The same for a request and its repetitions, so that a job is not started twice.
IdempotencyKeyDep = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=255)]


def base_url(request: Request) -> str:
    """Return the base of URLs by which the client reaches this lake."""
    lake: Lake = request.app.state.lake
    return lake.settings.public_url or _origin(
        request.scope["scheme"], request.scope["server"], request.headers.get("host")
    )


@lru_cache(maxsize=1024)
def _origin(scheme: str, server: tuple[str, int] | None, host: str | None) -> str:
    """Return where a client found this lake; clients come again, and to take URLs apart costs more than to remember."""
    headers = [] if host is None else [(b"host", host.encode("latin-1"))]
    scope = {"type": "http", "scheme": scheme, "server": server, "path": "/", "query_string": b"", "headers": headers}
    return str(Request(scope).base_url).rstrip("/")


async def get_authorization(request: Request, datalake_id: UUID, lake: LakeDep) -> Authorization:
    """Return that the caller may use the datalake of the path; it was so at most a second ago."""
    auth_cache: AuthCache = request.app.state.auth_cache
    # The same token from the same address.
    key = request.headers.get("authorization"), request.client.host if request.client else "", datalake_id
    authorization = auth_cache.find(key)
    if authorization is None:
        authorization = await run_in_threadpool(_authorize, request, datalake_id, lake)
        if authorization.caller.job_id is None:
            # A job may be killed, and its token with it.
            auth_cache.add(key, authorization)
    return authorization


AuthorizationDep = Annotated[Authorization, Depends(get_authorization)]


def _authorize(request: Request, datalake_id: UUID, lake: Lake) -> Authorization:
    caller = get_caller(request, lake)
    token = request.headers["authorization"].partition(" ")[2]
    return Authorization(tokens.digest_of(token), caller, get_datalake(datalake_id, lake, caller))
