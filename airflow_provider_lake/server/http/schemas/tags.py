"""Tags in requests and responses."""

from typing import Any

from airflow_provider_lake.server.store.queries.listing import Named
from airflow_provider_lake.server.store.tables import Tag


def tag_json(tag: Tag | Named) -> dict[str, Any]:
    """Describe a tag."""
    return {"id": str(tag.id), "name": tag.name, "target_type": "DATA"}
