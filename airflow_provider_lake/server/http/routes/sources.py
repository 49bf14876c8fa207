"""Data sources."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from airflow_provider_lake.server.errors import NotFoundError
from airflow_provider_lake.server.http.dependencies import CallerDep, LakeDep, OrganizationDep, PageDep
from airflow_provider_lake.server.http.schemas.names import NameBody
from airflow_provider_lake.server.http.schemas.sources import source_json
from airflow_provider_lake.server.store.queries import sources

router = APIRouter()


@router.post("/api/organization/{organization_id}/datasources", status_code=201)
def create_source(organization_id: OrganizationDep, body: NameBody, lake: LakeDep) -> dict[str, Any]:
    """Create a data source; 409 if there is one of that name."""
    with lake.database.writing() as session:
        return source_json(sources.create_source(session, organization_id, body.name))


@router.get("/api/organization/{organization_id}/datasources/find")
def find_source(organization_id: OrganizationDep, name: str, lake: LakeDep) -> dict[str, Any]:
    """Describe the data source of this name."""
    with lake.database.reading() as session:
        source = sources.find_source(session, organization_id, name)
    if source is None:
        raise NotFoundError(f"no data source named {name!r}")
    return source_json(source)


@router.get("/api/organization/{organization_id}/datasources")
def list_sources(organization_id: OrganizationDep, page: PageDep, lake: LakeDep) -> dict[str, Any]:
    """List the data sources of an organization."""
    with lake.database.reading() as session:
        found, count = sources.list_sources(session, organization_id, page.limit, page.offset, page.order_by)
    return {"items": [source_json(source) for source in found], "count": count}


@router.get("/api/data/source/{source_id}")
def get_source(source_id: UUID, lake: LakeDep, caller: CallerDep) -> dict[str, Any]:
    """Describe one data source."""
    with lake.database.reading() as session:
        return source_json(sources.get_source(session, caller.organization_id, source_id))


@router.patch("/api/data/source/{source_id}")
def rename_source(source_id: UUID, body: NameBody, lake: LakeDep, caller: CallerDep) -> dict[str, Any]:
    """Rename a data source."""
    with lake.database.writing() as session:
        source = sources.get_source(session, caller.organization_id, source_id)
        sources.rename_source(session, source, body.name)
    return source_json(source)


@router.delete("/api/data/source/{source_id}", status_code=204)
def delete_source(source_id: UUID, lake: LakeDep, caller: CallerDep) -> None:
    """Delete a data source; its data stay."""
    with lake.database.writing() as session:
        session.delete(sources.get_source(session, caller.organization_id, source_id))
