"""Data: find, list, change, delete."""

import json
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from airflow_provider_lake.server.blobs.base import BlobStore
from airflow_provider_lake.server.context import Lake
from airflow_provider_lake.server.errors import BadRequestError
from airflow_provider_lake.server.http.dependencies import (
    CallerDep,
    DatalakeDep,
    LakeDep,
    PageDep,
    base_url,
)
from airflow_provider_lake.server.http.request_check import check_json
from airflow_provider_lake.server.http.routes.cursors import decode_cursor, encode_cursor
from airflow_provider_lake.server.http.routes.responses import json_response
from airflow_provider_lake.server.http.schemas.data import (
    BulkBody,
    CustomMetadataBody,
    IdsBody,
    ListBody,
    MetadataBody,
    data_json,
    data_list_json,
)
from airflow_provider_lake.server.store.queries import data as data_queries
from airflow_provider_lake.server.store.queries import imports, listing
from airflow_provider_lake.server.store.queries.custom_metadata import get_schema
from airflow_provider_lake.server.store.queries.listing import Listing
from airflow_provider_lake.server.store.queries.objects import find_unused
from airflow_provider_lake.server.store.queries.selection import Selection, count_data
from airflow_provider_lake.server.store.query_language import Filter, compile_filter
from airflow_provider_lake.server.store.states import DataType, UploadStatus
from airflow_provider_lake.server.store.tables import Data

Statuses = Annotated[list[UploadStatus] | None, Query()]
Types = Annotated[list[DataType] | None, Query()]

router = APIRouter()


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
    """Return the one data that has this id, file name or object name."""
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
    return json_response(_data_response(lake.stores.for_organization(datalake.organization_id), request, data))


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
    """List data page by page: by a cursor in order of creation, or by offset in any other order."""
    selection = Selection(
        datalake.id,
        types=types,
        upload_statuses=upload_statuses,
        filter=_filter(q),
        custom_metadata=_custom_metadata(custom_metadata),
    )
    next_cursor = None
    with lake.database.reading() as session:
        count = _count(lake, session, selection, q, custom_metadata)
        if page.order_by:
            found = listing.list_ordered(session, selection, page.order_by, page.limit, page.offset)
        else:
            found, last = listing.list_after(session, selection, decode_cursor(cursor), page.limit, page.offset)
            next_cursor = None if last is None else encode_cursor(last)
    items = data_responses(lake.stores.for_organization(datalake.organization_id), request, found)
    return json_response({"items": items, "count": count, "next_cursor": next_cursor})


@router.api_route("/api/datalake/{datalake_id}/datas", methods=["XGET"])
def list_named_data(
    datalake: DatalakeDep,
    body: ListBody,
    lake: LakeDep,
    request: Request,
    order_by: Annotated[list[str] | None, Query()] = None,
    custom_metadata: str | None = None,
) -> Response:
    """List the data with these ids, object names or file names."""
    if body.ids is None and body.object_names is None and body.filenames is None:
        raise BadRequestError("give ids, object_names or filenames to list data by")
    selection = Selection(
        datalake.id,
        ids=body.ids,
        filenames=body.filenames,
        object_names=body.object_names,
        types=body.types,
        upload_statuses=body.upload_statuses,
        filter=_filter(body.q),
        custom_metadata=_custom_metadata(custom_metadata),
    )
    with lake.database.reading() as session:
        found = listing.list_ordered(session, selection, order_by or (), None, 0)
    items = data_responses(lake.stores.for_organization(datalake.organization_id), request, found)
    return json_response({"items": items, "count": len(items)})


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
    """List the ids of data page by page, in order of creation."""
    selection = Selection(datalake.id, types=types, upload_statuses=upload_statuses, filter=_filter(q))
    with lake.database.reading() as session:
        count = _count(lake, session, selection, q, None)
        ids, last = listing.list_ids_after(session, selection, decode_cursor(cursor), page.limit, page.offset)
    next_cursor = None if last is None else encode_cursor(last)
    return json_response({"items": ids, "count": count, "next_cursor": next_cursor})


@router.get("/api/data/{data_id}")
def get_data(data_id: UUID, lake: LakeDep, caller: CallerDep, request: Request) -> Response:
    """Describe one data."""
    with lake.database.reading() as session:
        data = data_queries.get_data(session, caller.organization_id, data_id)
    return json_response(_data_response(lake.stores.for_organization(caller.organization_id), request, data))


@router.patch("/api/data/{data_id}")
def update_metadata(data_id: UUID, body: MetadataBody, lake: LakeDep, caller: CallerDep, request: Request) -> Response:
    """Replace a data's metadata."""
    with lake.database.writing() as session:
        data = data_queries.get_data(session, caller.organization_id, data_id)
        data.metadata_ = body.metadata
    return json_response(_data_response(lake.stores.for_organization(caller.organization_id), request, data))


@router.patch("/api/data/{data_id}/custom-metadata")
def update_custom_metadata(
    data_id: UUID, body: CustomMetadataBody, lake: LakeDep, caller: CallerDep, request: Request
) -> Response:
    """Replace a data's custom metadata."""
    with lake.database.writing() as session:
        data = data_queries.get_data(session, caller.organization_id, data_id)
        get_schema(session, data.datalake_id).check(body.custom_metadata)
        data.custom_metadata = body.custom_metadata
    return json_response(_data_response(lake.stores.for_organization(caller.organization_id), request, data))


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
    """Return a presigned URL to download a data."""
    with lake.database.reading() as session:
        data = data_queries.get_data(session, caller.organization_id, data_id)
    return {
        "presigned_url": lake.stores.for_organization(caller.organization_id).presign_get(
            data.object_name, base_url(request)
        )
    }


@router.delete("/api/data/{data_id}", status_code=204)
def delete_data(data_id: UUID, lake: LakeDep, caller: CallerDep) -> None:
    """Delete a data, and its object unless that was imported."""
    with lake.database.writing() as session:
        data_queries.get_data(session, caller.organization_id, data_id)
        object_names = data_queries.delete_data(session, caller.organization_id, [data_id])
    _delete_objects(lake, caller.organization_id, object_names)


@router.delete("/api/datalake/{datalake_id}/datas", status_code=204)
def delete_many(datalake: DatalakeDep, body: IdsBody, lake: LakeDep, caller: CallerDep) -> None:
    """Delete several data; unknown ids are ignored."""
    with lake.database.writing() as session:
        object_names = data_queries.delete_data(session, caller.organization_id, body.ids, datalake.id)
    _delete_objects(lake, caller.organization_id, object_names)


def _delete_objects(lake: Lake, organization_id: UUID, object_names: Sequence[str]) -> None:
    # After the commit: an object without its data wastes space, a data without its object is lost. A second query finds
    # the objects for which data were registered meanwhile.
    with lake.database.reading() as session:
        unused = find_unused(session, organization_id, object_names)
    store = lake.stores.for_organization(organization_id)
    for object_name in unused:
        store.delete(object_name)


def _filter(q: str | None) -> Filter:
    return compile_filter(q) if q else Filter()


def _count(lake: Lake, session: Session, selection: Selection, q: str | None, custom_metadata: str | None) -> int:
    """Count the data of a list; ``q`` and ``custom_metadata`` are the texts of the request, as the cache's key."""
    kinds = tuple(None if kinds is None else frozenset(kinds) for kinds in (selection.types, selection.upload_statuses))
    key = (selection.datalake_id, q, custom_metadata, kinds)
    return lake.count_cache.get(key, lake.database.state(session), lambda: count_data(session, selection))


def _custom_metadata(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise BadRequestError("custom_metadata must be a JSON object")
    check_json(values)
    return values


def _data_response(store: BlobStore, request: Request, data: Data) -> dict[str, Any]:
    return data_json(data, store.presign_get(data.object_name, base_url(request)))


def data_responses(store: BlobStore, request: Request, found: Listing) -> list[dict[str, Any]]:
    """Return the JSON of a list of data, with presigned URLs."""
    base = base_url(request)
    return data_list_json(found, [store.presign_get(object_name, base) for object_name in found.object_names])
