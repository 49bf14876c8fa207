"""What routes are given: the lake, who asks, which datalake, which page."""

import hashlib
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request

from airflow_provider_lake.server.context import Lake
from airflow_provider_lake.server.errors import NotFoundError, UnauthorizedError
from airflow_provider_lake.server.queries import datalakes, tokens
from airflow_provider_lake.server.tables import Datalake
from airflow_provider_lake.server.work.media import MediaWorker
from airflow_provider_lake.server.work.runner import JobRunner

MAX_PAGE = 1000
DEFAULT_PAGE = 100
# Larger offsets fit no database's integers.
MAX_OFFSET = 2**62


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    :param job_id: the job whose own token was used; None for a person's token.
    """

    user_id: UUID
    organization_id: UUID
    job_id: UUID | None


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted.

    :param limit: items at the most.
    :param offset: items left out before the first.
    :param order_by: field names, ``-`` before one that descends; empty: in the order of creation.
    """

    limit: int
    offset: int
    order_by: tuple[str, ...]


def get_lake(request: Request) -> Lake:
    """Return the lake that serves this request."""
    lake: Lake = request.app.state.lake
    return lake


LakeDep = Annotated[Lake, Depends(get_lake)]


def get_runner(request: Request) -> JobRunner:
    """Return what runs the lake's jobs."""
    runner: JobRunner = request.app.state.runner
    return runner


RunnerDep = Annotated[JobRunner, Depends(get_runner)]


def get_caller(request: Request, lake: LakeDep) -> Caller:
    """Return who asks, by the bearer token.

    :raises UnauthorizedError: no token, or an unknown one.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise UnauthorizedError("no API token: send it as 'Authorization: Bearer <token>'")
    with lake.database.reading() as session:
        found = tokens.find_token(session, hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest())
    if found is None:
        raise UnauthorizedError("this lake does not know the API token")
    return Caller(found.user_id, found.organization_id, found.job_id)


CallerDep = Annotated[Caller, Depends(get_caller)]


def get_organization_id(organization_id: UUID, caller: CallerDep) -> UUID:
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


def get_page(
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
    order_by: Annotated[list[str] | None, Query()] = None,
) -> Page:
    """Return the page that the query string asks for."""
    return Page(limit, offset, tuple(order_by or ()))


PageDep = Annotated[Page, Depends(get_page)]


def base_url(request: Request) -> str:
    """Return the base of URLs that lead the asking client back to this lake."""
    lake = get_lake(request)
    return lake.settings.public_url or str(request.base_url).rstrip("/")


def get_media_worker(request: Request) -> MediaWorker:
    """Return what looks at new data."""
    worker: MediaWorker = request.app.state.media
    return worker


MediaWorkerDep = Annotated[MediaWorker, Depends(get_media_worker)]
