"""Object names, and presigned URLs for uploads and downloads."""

from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Request

from airflow_provider_lake.server.blobs.base import Part
from airflow_provider_lake.server.blobs.names import upload_name
from airflow_provider_lake.server.context import Lake
from airflow_provider_lake.server.errors import BadRequestError, NotFoundError
from airflow_provider_lake.server.http.dependencies import CallerDep, LakeDep, OrganizationDep, base_url, check_object
from airflow_provider_lake.server.http.schemas.object_storage import (
    CompletionBody,
    NewObjectBody,
    ObjectBody,
    ObjectKind,
    PartBody,
    TypedObjectBody,
)
from airflow_provider_lake.server.store.queries import datalakes, uploads
from airflow_provider_lake.server.store.tables import Connector

_FOLDERS = {ObjectKind.DATA: "data", ObjectKind.DATA_PROJECTION: "projections", ObjectKind.LOGGING: "logs"}

router = APIRouter()


def get_connector(connector_id: UUID, lake: LakeDep, caller: CallerDep) -> Connector:
    """Return the connector of the path.

    :raises NotFoundError: the caller's organization has no connector with this id.
    """
    with lake.database.reading() as session:
        return datalakes.get_connector(session, caller.organization_id, connector_id)


ConnectorDep = Annotated[Connector, Depends(get_connector)]


@router.post("/api/organization/{organization_id}/connector/{connector_id}/generate_object_name")
def generate_object_name(
    organization_id: OrganizationDep, connector: ConnectorDep, body: NewObjectBody
) -> dict[str, str]:
    """Return a new, unused object name for a file of this name."""
    folder = body.upload_dir or _FOLDERS[body.type]
    return {"object_name": upload_name(folder, body.filename)}


@router.post("/api/object-storage/{connector_id}/generate_presigned_url")
def presign_upload(
    connector: ConnectorDep, body: TypedObjectBody, lake: LakeDep, caller: CallerDep, request: Request
) -> dict[str, Any]:
    """Return a presigned form to upload an object in one piece."""
    check_object(lake, caller, body.object_name)
    store = lake.stores.for_organization(connector.organization_id)
    post = store.presign_post(body.object_name, body.content_type, base_url(request))
    return {"client_type": store.client_type, "presigned_url_data": {"url": post.url, "fields": post.fields}}


@router.post("/api/object-storage/{connector_id}/retrieve_presigned_url")
def presign_download(
    connector: ConnectorDep, body: ObjectBody, lake: LakeDep, caller: CallerDep, request: Request
) -> dict[str, str]:
    """Return a presigned URL to download an object."""
    check_object(lake, caller, body.object_name)
    store = lake.stores.for_organization(connector.organization_id)
    try:
        store.stat(body.object_name)
    except FileNotFoundError:
        raise NotFoundError(f"no object {body.object_name!r}") from None
    return {"presigned_url": store.presign_get(body.object_name, base_url(request))}


@router.post("/api/object-storage/{connector_id}/init_multipart_upload")
def start_upload(connector: ConnectorDep, body: TypedObjectBody, lake: LakeDep, caller: CallerDep) -> dict[str, str]:
    """Start a multipart upload."""
    check_object(lake, caller, body.object_name)
    store = lake.stores.for_organization(connector.organization_id)
    upload_id = uuid4()
    store_id = store.start_multipart(body.object_name, body.content_type, upload_id)
    with lake.database.writing() as session:
        uploads.create_upload(session, upload_id, store_id, connector.id, body.object_name, body.content_type)
    return {"client_type": store.client_type, "upload_id": str(upload_id)}


@router.post("/api/object-storage/{connector_id}/generate_part_presigned_url")
def presign_part(
    connector: ConnectorDep, body: PartBody, lake: LakeDep, caller: CallerDep, request: Request
) -> dict[str, str]:
    """Return a presigned URL to PUT one part."""
    check_object(lake, caller, body.object_name)
    with lake.database.reading() as session:
        upload = uploads.get_upload_of(session, connector.id, body.upload_id, body.object_name)
    store = lake.stores.for_organization(connector.organization_id)
    return {"url": store.presign_part(body.object_name, upload.store_id, body.part_no, base_url(request))}


@router.post("/api/object-storage/{connector_id}/complete_part_upload")
def complete_upload(connector: ConnectorDep, body: CompletionBody, lake: LakeDep, caller: CallerDep) -> dict[str, Any]:
    """Join the parts into one object; a repeated request gets the same response."""
    check_object(lake, caller, body.object_name)
    parts = [Part(part.PartNumber, part.ETag) for part in sorted(body.parts, key=lambda part: part.PartNumber)]
    with lake.database.reading() as session:
        upload = uploads.get_upload_of(session, connector.id, body.upload_id, body.object_name)
    if upload.completed_at is None:
        store = lake.stores.for_organization(connector.organization_id)
        # Outside of any transaction: joining large parts takes long.
        try:
            store.complete_multipart(body.object_name, upload.store_id, parts)
        except ValueError as error:
            if _is_completed(lake, upload.id):
                return {}  # completed by the same request at the same time: its parts are gone
            raise BadRequestError(str(error)) from error
        with lake.database.writing() as session:
            uploads.mark_completed(session, upload.id)
        # Not before: if the lake stopped in between, a repeated request would need the parts.
        store.abort_multipart(upload.store_id)
    return {}


def _is_completed(lake: Lake, upload_id: UUID) -> bool:
    with lake.database.reading() as session:
        return uploads.get_upload(session, upload_id).completed_at is not None
