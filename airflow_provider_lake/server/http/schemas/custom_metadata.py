"""Custom metadata schemas in requests and responses."""

from typing import Any

from pydantic import BaseModel

from airflow_provider_lake.server.store.metadata_schema import CustomMetadataSchema


class AllowExtraBody(BaseModel):
    """Whether data may have keys that the schema does not have."""

    allow_extra_custom_metadata: bool


def schema_json(schema: CustomMetadataSchema) -> dict[str, Any]:
    """Return the JSON of a schema; of one without keys it is None, as in the reference."""
    keys = {key: definition.model_dump(mode="json", exclude_none=True) for key, definition in schema.keys.items()}
    return {
        "custom_metadata_schema": keys or None,
        "allow_extra_custom_metadata": schema.allow_extra,
        "keys": {},
    }
