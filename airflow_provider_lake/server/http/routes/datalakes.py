"""The caller, organizations and datalakes."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from airflow_provider_lake import __version__
from airflow_provider_lake.server.http.dependencies import CallerDep, DatalakeDep, LakeDep, OrganizationDep
from airflow_provider_lake.server.http.schemas.datalakes import datalake_json, organization_json
from airflow_provider_lake.server.store.queries import datalakes

# The release of the reference's client whose API this lake implements.
SDK_VERSION = "6.37.0"

router = APIRouter()


@router.get("/api/home/ping")
def ping(lake: LakeDep, caller: CallerDep) -> dict[str, Any]:
    """Return the caller's user name and organization, and what this lake supports."""
    with lake.database.reading() as session:
        user = datalakes.get_user(session, caller.user_id)
    return {
        "sdk_version": SDK_VERSION,
        "username": user.username,
        "default_organization": caller.organization_id,
        "lake_version": __version__,
        "idempotency_keys": True,
        "check_files": True,
    }


@router.get("/api/organizations/find")
def find_organization(name: str, lake: LakeDep, caller: CallerDep) -> dict[str, Any]:
    """Describe the caller's organization, by its name."""
    with lake.database.reading() as session:
        organization = datalakes.get_organization_by_name(session, name, caller.organization_id)
        connector = datalakes.find_default_connector(session, organization.id)
    return organization_json(organization, connector)


@router.get("/api/organization/{organization_id}")
def get_organization(organization_id: UUID, lake: LakeDep, caller: CallerDep) -> dict[str, Any]:
    """Describe the caller's organization, by its id."""
    with lake.database.reading() as session:
        organization = datalakes.get_organization(session, organization_id, caller.organization_id)
        connector = datalakes.find_default_connector(session, organization.id)
    return organization_json(organization, connector)


@router.get("/api/organization/{organization_id}/datalake")
def find_datalake(
    organization_id: OrganizationDep,
    lake: LakeDep,
    caller: CallerDep,
    id: UUID | None = None,
    name: str | None = None,
) -> dict[str, Any]:
    """Describe one datalake of an organization, by id or name; without either, its default one."""
    with lake.database.reading() as session:
        if id is not None:
            found = datalakes.get_datalake(session, organization_id, id)
        else:
            found = datalakes.find_datalake(session, organization_id, name)
    caller.check_datalake(found.id)
    return datalake_json(found)


@router.get("/api/organization/{organization_id}/datalakes")
def list_datalakes(organization_id: OrganizationDep, lake: LakeDep) -> dict[str, Any]:
    """List the datalakes of an organization."""
    with lake.database.reading() as session:
        found = datalakes.list_datalakes(session, organization_id)
    return {"items": [datalake_json(datalake) for datalake in found], "count": len(found)}


@router.get("/api/datalake/{datalake_id}")
def get_datalake(datalake: DatalakeDep) -> dict[str, Any]:
    """Describe one datalake."""
    return datalake_json(datalake)
