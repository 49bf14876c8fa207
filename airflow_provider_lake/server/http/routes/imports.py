"""Imports: make data from objects that are already in the bucket."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session

from airflow_provider_lake.server.blobs.names import check_object_name, check_prefix
from airflow_provider_lake.server.errors import BadRequestError
from airflow_provider_lake.server.http.dependencies import BackgroundDep, DatalakeDep, IdempotencyKeyDep, LakeDep
from airflow_provider_lake.server.http.routes.jobs import idempotent_request, job_response
from airflow_provider_lake.server.http.schemas.data import ObjectDetails
from airflow_provider_lake.server.http.schemas.datalakes import datalake_json
from airflow_provider_lake.server.http.schemas.imports import ImportBody, ProjectionImportBody
from airflow_provider_lake.server.store.queries import imports, jobs
from airflow_provider_lake.server.store.queries.custom_metadata import get_schema
from airflow_provider_lake.server.store.states import JobKind
from airflow_provider_lake.server.store.tables import Datalake

router = APIRouter()


@router.post("/api/datalake/{datalake_id}/objects")
def import_objects(
    datalake: DatalakeDep,
    body: ImportBody,
    lake: LakeDep,
    background: BackgroundDep,
    request: Request,
    key: IdempotencyKeyDep = None,
) -> dict[str, Any]:
    """Start a job that makes data of objects."""
    _check_connector(datalake)
    keyed = idempotent_request(request, key, body)
    with lake.database.writing() as session:
        job = jobs.find_by_key(session, datalake.id, keyed)
        if job is None:
            payload = _payload(session, datalake, body)
            job = jobs.create(session, datalake.id, JobKind.IMPORT, payload, request=keyed)
    background.job_added()
    return {"datalake": datalake_json(datalake), "job": job_response(lake, job, request)}


@router.post("/api/datalake/{datalake_id}/objects/projections")
def import_projections(
    datalake: DatalakeDep,
    body: ProjectionImportBody,
    lake: LakeDep,
    background: BackgroundDep,
    request: Request,
    key: IdempotencyKeyDep = None,
) -> dict[str, Any]:
    """Start a job that makes projections of objects."""
    _check_connector(datalake)
    for name, projections in body.projections.items():
        check_object_name(name)
        for projection in projections:
            check_object_name(projection.object_name)
    keyed = idempotent_request(request, key, body)
    with lake.database.writing() as session:
        job = jobs.find_by_key(session, datalake.id, keyed)
        if job is None:
            job = jobs.create(session, datalake.id, JobKind.IMPORT, body.model_dump(mode="json"), request=keyed)
    background.job_added()
    return {"datalake": datalake_json(datalake), "job": job_response(lake, job, request)}


def _check_connector(datalake: Datalake) -> None:
    if datalake.connector_id is None:
        raise BadRequestError(f"datalake {datalake.name!r} has no connector: there is no bucket to import from")


def _payload(session: Session, datalake: Datalake, body: ImportBody) -> dict[str, Any]:
    if (body.prefixes is None) == (body.objects is None):
        raise BadRequestError("an import takes either 'prefixes' or 'objects'")
    if body.objects is not None:
        return {"objects": _objects(session, datalake, body.objects), "check_files": body.check_files}
    for prefix in body.prefixes or ():
        check_prefix(prefix)
    _check_ids(session, datalake, body)
    # Data imported by prefix have no custom metadata, so the schema must not require any.
    get_schema(session, datalake.id).check(None, "what lies under a prefix")
    return body.model_dump(mode="json", exclude={"objects"})


def _check_ids(session: Session, datalake: Datalake, body: ImportBody) -> None:
    known = imports.existing_tags(session, datalake.id, body.tag_ids)
    if missing := [str(tag_id) for tag_id in body.tag_ids if tag_id not in known]:
        raise BadRequestError(f"no tags in datalake {datalake.name!r} with ids {', '.join(missing)}")
    source_id = body.data_source_id
    if source_id and not imports.existing_sources(session, datalake.id, [source_id]):
        raise BadRequestError(f"no data source with id {source_id}")


def _objects(session: Session, datalake: Datalake, objects: Mapping[str, ObjectDetails]) -> dict[str, Any]:
    """Replace names of tags and sources by their ids; missing ones are created."""
    schema = get_schema(session, datalake.id)
    for name, details in objects.items():
        schema.check(details.custom_metadata, name)
    tags = imports.ensure_tags(session, datalake.id, {tag for details in objects.values() for tag in details.tags})
    names = {details.data_source for details in objects.values() if details.data_source}
    sources = imports.ensure_sources(session, datalake.organization_id, names)
    return {
        check_object_name(name): {
            "metadata": details.metadata,
            "custom_metadata": details.custom_metadata,
            "tag_ids": [str(tags[tag]) for tag in details.tags],
            "data_source_id": str(sources[details.data_source]) if details.data_source else None,
        }
        for name, details in objects.items()
    }
