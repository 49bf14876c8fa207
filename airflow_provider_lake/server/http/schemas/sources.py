"""Data sources in requests and responses."""

from typing import Any

from airflow_provider_lake.server.store.queries.listing import Named
from airflow_provider_lake.server.store.tables import DataSource


def source_json(source: DataSource | Named) -> dict[str, Any]:
    """Describe a data source."""
    return {"id": str(source.id), "name": source.name}
