"""Organizations and datalakes in requests and responses."""

from typing import Any

from airflow_provider_lake.server.store.tables import Connector, Datalake, Organization


def organization_json(organization: Organization, connector: Connector | None) -> dict[str, Any]:
    """Describe an organization."""
    return {
        "id": organization.id,
        "name": organization.name,
        "default_connector_id": connector.id if connector else None,
    }


def datalake_json(datalake: Datalake) -> dict[str, Any]:
    """Describe a datalake."""
    return {"id": datalake.id, "name": datalake.name, "connector_id": datalake.connector_id}
