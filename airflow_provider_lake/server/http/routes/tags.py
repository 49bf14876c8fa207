"""Data tags, and the data that have them."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body

from airflow_provider_lake.server.errors import NotFoundError
from airflow_provider_lake.server.http.dependencies import CallerDep, DatalakeDep, LakeDep, PageDep
from airflow_provider_lake.server.http.schemas.names import NameBody
from airflow_provider_lake.server.http.schemas.tags import tag_json
from airflow_provider_lake.server.store.queries import tags

MAX_TARGETS = 10_000
Targets = Annotated[list[UUID], Body(max_length=MAX_TARGETS)]

router = APIRouter()


@router.post("/api/datalake/{datalake_id}/tags", status_code=201)
def create_tag(datalake: DatalakeDep, body: NameBody, lake: LakeDep) -> dict[str, Any]:
    """Create a tag; 409 if there is one of that name."""
    with lake.database.writing() as session:
        return tag_json(tags.create_tag(session, datalake.id, body.name))


@router.get("/api/datalake/{datalake_id}/tags/find")
def find_tag(datalake: DatalakeDep, name: str, lake: LakeDep) -> dict[str, Any]:
    """Describe the tag of this name."""
    with lake.database.reading() as session:
        tag = tags.find_tag(session, datalake.id, name)
    if tag is None:
        raise NotFoundError(f"no tag named {name!r} in datalake {datalake.name!r}")
    return tag_json(tag)


@router.get("/api/datalake/{datalake_id}/tags")
def list_tags(datalake: DatalakeDep, page: PageDep, lake: LakeDep) -> dict[str, Any]:
    """List the tags of a datalake."""
    with lake.database.reading() as session:
        found, count = tags.list_tags(session, datalake.id, page.limit, page.offset, page.order_by)
    return {"items": [tag_json(tag) for tag in found], "count": count}


@router.get("/api/tag/{tag_id}")
def get_tag(tag_id: UUID, lake: LakeDep, caller: CallerDep) -> dict[str, Any]:
    """Describe one tag."""
    with lake.database.reading() as session:
        return tag_json(tags.get_tag(session, caller.organization_id, tag_id))


@router.patch("/api/tag/{tag_id}")
def rename_tag(tag_id: UUID, body: NameBody, lake: LakeDep, caller: CallerDep) -> dict[str, Any]:
    """Rename a tag."""
    with lake.database.writing() as session:
        tag = tags.get_tag(session, caller.organization_id, tag_id)
        tags.rename_tag(session, tag, body.name)
    return tag_json(tag)


@router.delete("/api/tag/{tag_id}", status_code=204)
def delete_tag(tag_id: UUID, lake: LakeDep, caller: CallerDep) -> None:
    """Delete a tag; its data stay."""
    with lake.database.writing() as session:
        session.delete(tags.get_tag(session, caller.organization_id, tag_id))


@router.post("/api/tag/{tag_id}/attach")
def attach_tag(tag_id: UUID, data_ids: Targets, lake: LakeDep, caller: CallerDep) -> dict[str, Any]:
    """Attach a tag to data."""
    with lake.database.writing() as session:
        tag = tags.get_tag(session, caller.organization_id, tag_id)
        count = tags.attach_tag(session, tag, data_ids)
    return {"tag": tag_json(tag), "count": count}


@router.post("/api/tag/{tag_id}/detach")
def detach_tag(tag_id: UUID, data_ids: Targets, lake: LakeDep, caller: CallerDep) -> dict[str, Any]:
    """Remove a tag from data."""
    with lake.database.writing() as session:
        tag = tags.get_tag(session, caller.organization_id, tag_id)
        count = tags.detach_tag(session, tag, data_ids)
    return {"tag": tag_json(tag), "count": count}
