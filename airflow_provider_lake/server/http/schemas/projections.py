"""Projections in requests and responses."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from airflow_provider_lake.server.http.schemas.data import MAX_PIXELS_A_SIDE, Filename, ObjectName
from airflow_provider_lake.server.http.schemas.names import Name
from airflow_provider_lake.server.store.tables import Projection

Side = Annotated[int, Field(ge=0, lt=MAX_PIXELS_A_SIDE)]


class ProjectionBody(BaseModel):
    """A projection to create of a stored object, whose size it gets."""

    name: Name
    object_name: ObjectName
    filename: Filename
    content_type: Name
    width: Side | None = None
    height: Side | None = None
    additional_info: dict[str, Any] | None = None


def projection_json(projection: Projection, presigned_url: str) -> dict[str, Any]:
    """Describe a projection; ``presigned_url`` downloads its bytes."""
    return {
        "id": str(projection.id),
        "name": projection.name,
        "object_name": projection.object_name,
        "filename": projection.filename,
        "content_type": projection.content_type,
        "file_size": projection.file_size,
        "width": projection.width,
        "height": projection.height,
        "compute_status": "DONE",
        "presigned_url": presigned_url,
        "infos": projection.infos,
        "created_at": projection.created_at.isoformat(),
    }
