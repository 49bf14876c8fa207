"""What the token of a job permits: only the routes listed here, on its own job and its own datalake."""

from uuid import UUID

from fastapi import Request
from sqlalchemy.orm import Session

from airflow_provider_lake.server.errors import ForbiddenError
from airflow_provider_lake.server.store.queries import job_scope

# Method and path of the requests that a program may send. It may not start other jobs: an import can make data of any
# object of its organization, and so can a processing of another datalake's data.
ALLOWED = frozenset(
    {
        "GET /api/home/ping",
        "GET /api/organizations/find",
        "GET /api/organization/{organization_id}",
        "GET /api/organization/{organization_id}/datalake",
        "GET /api/datalake/{datalake_id}",
        "GET /api/datalake/{datalake_id}/custom-metadata",
        "POST /api/datalake/{datalake_id}/tags",
        "GET /api/datalake/{datalake_id}/tags",
        "GET /api/datalake/{datalake_id}/tags/find",
        "GET /api/tag/{tag_id}",
        "PATCH /api/tag/{tag_id}",
        "DELETE /api/tag/{tag_id}",
        "POST /api/tag/{tag_id}/attach",
        "POST /api/tag/{tag_id}/detach",
        "POST /api/organization/{organization_id}/datasources",
        "GET /api/organization/{organization_id}/datasources",
        "GET /api/organization/{organization_id}/datasources/find",
        "GET /api/data/source/{source_id}",
        "POST /api/datalake/{datalake_id}/datas",
        "GET /api/datalake/{datalake_id}/datas",
        "XGET /api/datalake/{datalake_id}/datas",
        "DELETE /api/datalake/{datalake_id}/datas",
        "GET /api/datalake/{datalake_id}/datas/find",
        "GET /api/datalake/{datalake_id}/datas/ids/paginated",
        "PATCH /api/datalake/{datalake_id}/data/bulk",
        "GET /api/data/{data_id}",
        "PATCH /api/data/{data_id}",
        "DELETE /api/data/{data_id}",
        "PATCH /api/data/{data_id}/custom-metadata",
        "GET /api/data/{data_id}/presigned-url",
        "POST /api/data/{data_id}/projections",
        "GET /api/data/{data_id}/projections",
        "GET /api/data/projection/{projection_id}",
        "DELETE /api/data/projection/{projection_id}",
        "GET /api/data/projection/{projection_id}/presigned-url",
        "POST /api/organization/{organization_id}/connector/{connector_id}/generate_object_name",
        "POST /api/object-storage/{connector_id}/generate_presigned_url",
        "POST /api/object-storage/{connector_id}/retrieve_presigned_url",
        "POST /api/object-storage/{connector_id}/init_multipart_upload",
        "POST /api/object-storage/{connector_id}/generate_part_presigned_url",
        "POST /api/object-storage/{connector_id}/complete_part_upload",
        "GET /api/v2/job/{job_id}",
        "GET /api/v2/job/{job_id}/logs",
        "GET /api/organization/{organization_id}/jobv2s/find",
        "POST /api/v2/job/{job_id}/running",
        "POST /api/v2/job/{job_id}/succeed",
        "POST /api/v2/job/{job_id}/fail",
        "POST /api/v2/job/{job_id}/kill",
        "POST /api/v2/job/{job_id}/logging",
        "POST /api/v2/job/{job_id}/logging/save",
    }
)
REFUSAL = "the token of a job is good for its own job and its own datalake only"


def check_route(session: Session, request: Request, datalake_id: UUID) -> None:
    """Check by a request's path that a job's token may send it.

    :param datalake_id: the job's own datalake.
    :raises ForbiddenError: no job may send it, or not for this resource.
    """
    if f"{request.method} {request.scope['route'].path}" not in ALLOWED:
        raise ForbiddenError(REFUSAL)
    for name, text in request.path_params.items():
        try:
            found = job_scope.datalake_of(session, name, UUID(text))
        except ValueError:
            continue  # the route itself rejects an invalid id
        if found not in {None, datalake_id}:
            raise ForbiddenError(REFUSAL)
