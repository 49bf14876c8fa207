"""Data: create, find, list, change, delete."""

import json
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import ColumnElement

from airflow_provider_lake.server.blobs.base import BlobStore
from airflow_provider_lake.server.deps import (
    CallerDep,
    DatalakeDep,
    LakeDep,
    MediaWorkerDep,
    PageDep,
    base_url,
    check_object,
)
from airflow_provider_lake.server.errors import BadRequestError
from airflow_provider_lake.server.queries import data as data_queries
from airflow_provider_lake.server.queries import imports
from airflow_provider_lake.server.queries.custom_metadata import get_schema
from airflow_provider_lake.server.queries.data import Selection
from airflow_provider_lake.server.query_language import compile_query
from airflow_provider_lake.server.request_check import check_json
from airflow_provider_lake.server.routes.cursors import decode_cursor, encode_cursor
from airflow_provider_lake.server.schemas.data import (
    BulkBody,
    CustomMetadataBody,
    DataBody,
    IdsBody,
    ListBody,
    MetadataBody,
    data_answer,
)
from airflow_provider_lake.server.states import DataType, UploadStatus
from airflow_provider_lake.server.tables import Data

Statuses = Annotated[list[UploadStatus] | None, Query()]
Types = Annotated[list[DataType] | None, Query()]

router = APIRouter()


@router.post("/api/datalake/{datalake_id}/datas", status_code=201)
def create_data(
    datalake: DatalakeDep, body: DataBody, lake: LakeDep, caller: CallerDep, worker: MediaWorkerDep, request: Request
) -> Response:
    """Make a stored object a data; 208 and the data as it is where the object is one already."""
    check_object(lake, caller, body.object_name)
    try:
        size = lake.stores.of(datalake.organization_id).stat(body.object_name).size
    except FileNotFoundError:
        raise BadRequestError(f"no object {body.object_name!r} was uploaded") from None
    row = {
        "datalake_id": datalake.id,
        "object_name": body.object_name,
        "filename": body.filename,
        "type": body.type,
        "content_type": body.content_type,
        "file_size": size,
        "width": body.meta and body.meta.width,
        "height": body.meta and body.meta.height,
        "metadata_": body.metadata,
        "custom_metadata": body.custom_metadata,
        "data_source_id": body.data_source_id,
    }
    with lake.database.writing() as session:
        get_schema(session, datalake.id).check(body.custom_metadata)
        data_queries.check_tags(session, datalake.id, body.tags)
        if body.data_source_id is not None:
            data_queries.check_source(session, datalake.organization_id, body.data_source_id)
        data, is_new = data_queries.create_data(session, row, body.tags)
    worker.wake()
    return JSONResponse(_describe(lake.stores.of(datalake.organization_id), request, data), 201 if is_new else 208)


@router.get("/api/datalake/{datalake_id}/datas/find")
def find_data(
    datalake: DatalakeDep,
    lake: LakeDep,
    request: Request,
    id: UUID | None = None,
    filename: str | None = None,
    object_name: str | None = None,
    upload_statuses: Statuses = None,
    types: Types = None,
) -> Response:
    """Describe the one data that has this id, file name or object name."""
    given = {"id": id, "filename": filename, "object_name": object_name}
    wanted = ", ".join(f"{name} {str(value)!r}" for name, value in given.items() if value is not None)
    if not wanted:
        raise BadRequestError("give id, filename or object_name to find a data")
    selection = Selection(
        datalake.id,
        ids=None if id is None else [id],
        filenames=None if filename is None else [filename],
        object_names=None if object_name is None else [object_name],
        types=types,
        upload_statuses=upload_statuses,
    )
    with lake.database.reading() as session:
        data = data_queries.find_one(session, selection, wanted)
    return JSONResponse(_describe(lake.stores.of(datalake.organization_id), request, data))


@router.get("/api/datalake/{datalake_id}/datas")
def list_data(
    datalake: DatalakeDep,
    lake: LakeDep,
    page: PageDep,
    request: Request,
    cursor: str | None = None,
    q: str | None = None,
    custom_metadata: str | None = None,
    upload_statuses: Statuses = None,
    types: Types = None,
) -> Response:
    """List data page by page: along a cursor in the order of creation, or by offset in any other."""
    selection = Selection(
        datalake.id,
        types=types,
        upload_statuses=upload_statuses,
        clause=_clause(q),
        custom_metadata=_custom_metadata(custom_metadata),
    )
    next_cursor = None
    with lake.database.reading() as session:
        if page.order_by:
            found = data_queries.list_ordered(session, selection, page.order_by, page.limit, page.offset)
        else:
            # One more than asked for tells whether there is a next page.
            position = decode_cursor(cursor)
            found = data_queries.list_after(session, selection, position, page.limit + 1, page.offset)
            if len(found) > page.limit:
                found = found[: page.limit]
                next_cursor = encode_cursor(found[-1].position)
        count = data_queries.count(session, selection)
    answer = {
        "items": _describe_all(lake.stores.of(datalake.organization_id), request, found),
        "count": count,
        "next_cursor": next_cursor,
    }
    return JSONResponse(answer)


@router.api_route("/api/datalake/{datalake_id}/datas", methods=["XGET"])
def list_named_data(
    datalake: DatalakeDep,
    body: ListBody,
    lake: LakeDep,
    request: Request,
    order_by: Annotated[list[str] | None, Query()] = None,
    custom_metadata: str | None = None,
) -> Response:
    """List the data of these ids, object names or file names."""
    if body.ids is None and body.object_names is None and body.filenames is None:
        raise BadRequestError("give ids, object_names or filenames to list data by")
    selection = Selection(
        datalake.id,
        ids=body.ids,
        filenames=body.filenames,
        object_names=body.object_names,
        types=body.types,
        upload_statuses=body.upload_statuses,
        clause=_clause(body.q),
        custom_metadata=_custom_metadata(custom_metadata),
    )
    with lake.database.reading() as session:
        found = data_queries.list_ordered(session, selection, order_by or (), None, 0)
    return JSONResponse(
        {"items": _describe_all(lake.stores.of(datalake.organization_id), request, found), "count": len(found)}
    )


@router.get("/api/datalake/{datalake_id}/datas/ids/paginated")
def list_ids(
    datalake: DatalakeDep,
    lake: LakeDep,
    page: PageDep,
    cursor: str | None = None,
    q: str | None = None,
    upload_statuses: Statuses = None,
    types: Types = None,
) -> Response:
    """List the ids of data page by page, in the order of creation."""
    selection = Selection(datalake.id, types=types, upload_statuses=upload_statuses, clause=_clause(q))
    with lake.database.reading() as session:
        found = data_queries.list_ids_after(session, selection, decode_cursor(cursor), page.limit + 1, page.offset)
        count = data_queries.count(session, selection)
    next_cursor = encode_cursor(found[page.limit - 1][0]) if len(found) > page.limit else None
    ids = [str(data_id) for _, data_id in found[: page.limit]]
    return JSONResponse({"items": ids, "count": count, "next_cursor": next_cursor})


@router.get("/api/data/{data_id}")
def get_data(data_id: UUID, lake: LakeDep, caller: CallerDep, request: Request) -> Response:
    """Describe one data."""
    with lake.database.reading() as session:
        data = data_queries.get_data(session, caller.organization_id, data_id)
    return JSONResponse(_describe(lake.stores.of(caller.organization_id), request, data))


@router.patch("/api/data/{data_id}")
def update_metadata(data_id: UUID, body: MetadataBody, lake: LakeDep, caller: CallerDep, request: Request) -> Response:
    """Replace a data's metadata."""
    with lake.database.writing() as session:
        data = data_queries.get_data(session, caller.organization_id, data_id)
        data.metadata_ = body.metadata
    return JSONResponse(_describe(lake.stores.of(caller.organization_id), request, data))


@router.patch("/api/data/{data_id}/custom-metadata")
def update_custom_metadata(
    data_id: UUID, body: CustomMetadataBody, lake: LakeDep, caller: CallerDep, request: Request
) -> Response:
    """Replace a data's custom metadata."""
    with lake.database.writing() as session:
        data = data_queries.get_data(session, caller.organization_id, data_id)
        get_schema(session, data.datalake_id).check(body.custom_metadata)
        data.custom_metadata = body.custom_metadata
    return JSONResponse(_describe(lake.stores.of(caller.organization_id), request, data))


@router.patch("/api/datalake/{datalake_id}/data/bulk")
def update_many(datalake: DatalakeDep, body: BulkBody, lake: LakeDep) -> dict[str, int]:
    """Change several data, all or none."""
    changes = body.objects.values()
    with lake.database.writing() as session:
        schema = get_schema(session, datalake.id)
        found = data_queries.get_many(session, datalake.id, body.objects)
        tags = imports.ensure_tags(session, datalake.id, {tag for change in changes for tag in change.tags})
        names = {change.data_source for change in changes if change.data_source}
        sources = imports.ensure_sources(session, datalake.organization_id, names)
        for data in found:
            change = body.objects[data.id]
            if change.metadata is not None:
                data.metadata_ = change.metadata
            if change.custom_metadata is not None:
                schema.check(change.custom_metadata, data.id)
                data.custom_metadata = change.custom_metadata
            if change.data_source is not None:
                data.data_source_id = sources[change.data_source]
            new_tags = {tags[name] for name in change.tags} - {tag.id for tag in data.tags}
            imports.add_tags(session, [(data.position, tag_id) for tag_id in new_tags])
    return {"count": len(found)}


@router.get("/api/data/{data_id}/presigned-url")
def get_presigned_url(data_id: UUID, lake: LakeDep, caller: CallerDep, request: Request) -> dict[str, str]:
    """Sign a URL to download a data's bytes."""
    with lake.database.reading() as session:
        data = data_queries.get_data(session, caller.organization_id, data_id)
    return {"presigned_url": lake.stores.of(caller.organization_id).presign_get(data.object_name, base_url(request))}


@router.delete("/api/data/{data_id}", status_code=204)
def delete_data(data_id: UUID, lake: LakeDep, caller: CallerDep) -> None:
    """Delete a data, and its object unless that was in the bucket before."""
    with lake.database.writing() as session:
        data_queries.get_data(session, caller.organization_id, data_id)
        object_names = data_queries.delete_data(session, caller.organization_id, [data_id])
    _delete_objects(lake.stores.of(caller.organization_id), object_names)


@router.delete("/api/datalake/{datalake_id}/datas", status_code=204)
def delete_many(datalake: DatalakeDep, body: IdsBody, lake: LakeDep, caller: CallerDep) -> None:
    """Delete data, as one by one; ids that are none are left out."""
    with lake.database.writing() as session:
        object_names = data_queries.delete_data(session, caller.organization_id, body.ids, datalake.id)
    _delete_objects(lake.stores.of(caller.organization_id), object_names)


def _delete_objects(store: BlobStore, object_names: Sequence[str]) -> None:
    # After the commit: an object without its data is waste, a data without its object would be a loss.
    for object_name in object_names:
        store.delete(object_name)


def _clause(q: str | None) -> ColumnElement[bool] | None:
    return compile_query(q) if q else None


def _custom_metadata(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadRequestError("custom_metadata must be a JSON object")
    check_json(found)
    return found


def _describe(store: BlobStore, request: Request, data: Data) -> dict[str, Any]:
    return data_answer(data, store.presign_get(data.object_name, base_url(request)))


def _describe_all(store: BlobStore, request: Request, found: Sequence[Data]) -> list[dict[str, Any]]:
    base = base_url(request)
    return [data_answer(data, store.presign_get(data.object_name, base)) for data in found]
