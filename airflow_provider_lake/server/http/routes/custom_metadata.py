"""Custom metadata schemas of datalakes."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from sqlalchemy.orm import Session

from airflow_provider_lake.server.http.dependencies import DatalakeDep, LakeDep
from airflow_provider_lake.server.http.schemas.custom_metadata import AllowExtraBody, schema_json
from airflow_provider_lake.server.store.metadata_schema import KeyDefinition
from airflow_provider_lake.server.store.queries import custom_metadata
from airflow_provider_lake.server.store.tables import NAME_LENGTH, Datalake

_KEY = "/api/datalake/{datalake_id}/custom-metadata/keys/{key:path}"
KeyName = Annotated[str, Path(min_length=1, max_length=NAME_LENGTH - 1, pattern=r"^[^\x00]*$")]

router = APIRouter()


@router.get("/api/datalake/{datalake_id}/custom-metadata")
def get_schema(datalake: DatalakeDep, lake: LakeDep) -> dict[str, Any]:
    """Return the custom metadata schema of a datalake."""
    with lake.database.reading() as session:
        return _schema_response(session, datalake)


@router.patch("/api/datalake/{datalake_id}/custom-metadata")
def set_allow_extra(datalake: DatalakeDep, body: AllowExtraBody, lake: LakeDep) -> dict[str, Any]:
    """Set whether data may have keys that are not in the schema; existing data do not change."""
    with lake.database.writing() as session:
        custom_metadata.set_allow_extra(session, datalake.id, allow_extra=body.allow_extra_custom_metadata)
        return _schema_response(session, datalake)


@router.post(_KEY)
def put_key(datalake: DatalakeDep, key: KeyName, body: KeyDefinition, lake: LakeDep) -> dict[str, Any]:
    """Add a key to the schema, or change it; existing data do not change."""
    with lake.database.writing() as session:
        custom_metadata.put_key(session, datalake.id, key, body)
    return body.model_dump(mode="json", exclude_none=True)


@router.delete(_KEY, status_code=204)
def delete_key(datalake: DatalakeDep, key: KeyName, lake: LakeDep) -> None:
    """Remove a key from the schema."""
    with lake.database.writing() as session:
        custom_metadata.delete_key(session, datalake.id, key)


def _schema_response(session: Session, datalake: Datalake) -> dict[str, Any]:
    return schema_json(custom_metadata.get_schema(session, datalake.id))
