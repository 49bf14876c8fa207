"""Projections: further files that belong to a data."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from airflow_provider_lake.server.blobs.base import BlobStore
from airflow_provider_lake.server.errors import BadRequestError
from airflow_provider_lake.server.http.dependencies import CallerDep, LakeDep, base_url, check_object
from airflow_provider_lake.server.http.schemas.projections import ProjectionBody, projection_json
from airflow_provider_lake.server.store.queries import data as data_queries
from airflow_provider_lake.server.store.queries import objects, projections
from airflow_provider_lake.server.store.tables import Projection

router = APIRouter()


@router.post("/api/data/{data_id}/projections", status_code=201)
def create_projection(
    data_id: UUID, body: ProjectionBody, lake: LakeDep, caller: CallerDep, request: Request
) -> Response:
    """Make a stored object a projection; 208 with the existing projection if it is one already."""
    check_object(lake, caller, body.object_name)
    with lake.database.reading() as session:
        data = data_queries.get_data(session, caller.organization_id, data_id)
    try:
        size = lake.stores.for_organization(caller.organization_id).stat(body.object_name).size
    except FileNotFoundError:
        raise BadRequestError(f"no object {body.object_name!r} was uploaded") from None
    row = body.model_dump(exclude={"additional_info"}) | {
        "data_position": data.position,
        "file_size": size,
        "infos": body.additional_info,
    }
    with lake.database.writing() as session:
        # It may have been deleted since it was read.
        data_queries.get_data(session, caller.organization_id, data_id)
        projection, is_new = projections.create_projection(session, row)
    return JSONResponse(
        _describe(lake.stores.for_organization(caller.organization_id), request, projection), 201 if is_new else 208
    )


@router.get("/api/data/{data_id}/projections")
def list_projections(data_id: UUID, lake: LakeDep, caller: CallerDep, request: Request) -> dict[str, Any]:
    """List the projections of a data."""
    with lake.database.reading() as session:
        data = data_queries.get_data(session, caller.organization_id, data_id)
        found = projections.list_projections(session, data.position)
    store = lake.stores.for_organization(caller.organization_id)
    return {"items": [_describe(store, request, projection) for projection in found], "count": len(found)}


@router.get("/api/data/projection/{projection_id}")
def get_projection(projection_id: UUID, lake: LakeDep, caller: CallerDep, request: Request) -> dict[str, Any]:
    """Describe one projection."""
    with lake.database.reading() as session:
        projection = projections.get_projection(session, caller.organization_id, projection_id)
    return _describe(lake.stores.for_organization(caller.organization_id), request, projection)


@router.get("/api/data/projection/{projection_id}/presigned-url")
def get_presigned_url(projection_id: UUID, lake: LakeDep, caller: CallerDep, request: Request) -> dict[str, str]:
    """Return a presigned URL to download a projection's bytes."""
    with lake.database.reading() as session:
        projection = projections.get_projection(session, caller.organization_id, projection_id)
    store = lake.stores.for_organization(caller.organization_id)
    return {"presigned_url": store.presign_get(projection.object_name, base_url(request))}


@router.delete("/api/data/projection/{projection_id}", status_code=204)
def delete_projection(projection_id: UUID, lake: LakeDep, caller: CallerDep) -> None:
    """Delete a projection, and its object unless that was imported."""
    with lake.database.writing() as session:
        projection = projections.get_projection(session, caller.organization_id, projection_id)
        session.delete(projection)
        session.flush()
        deletable = [] if projection.is_imported else [projection.object_name]
        unused = objects.find_unused(session, caller.organization_id, deletable)
    for object_name in unused:
        lake.stores.for_organization(caller.organization_id).delete(object_name)


def _describe(store: BlobStore, request: Request, projection: Projection) -> dict[str, Any]:
    return projection_json(projection, store.presign_get(projection.object_name, base_url(request)))
