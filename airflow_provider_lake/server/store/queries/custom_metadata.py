"""Custom metadata schemas of datalakes."""

from uuid import UUID

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from airflow_provider_lake.server.errors import NotFoundError
from airflow_provider_lake.server.store.metadata_schema import CustomMetadataSchema, KeyDefinition
from airflow_provider_lake.server.store.tables import CustomMetadataKey, Datalake

_SCHEMA = (
    select(Datalake.allow_extra_custom_metadata, CustomMetadataKey.key, CustomMetadataKey.definition)
    .outerjoin(CustomMetadataKey, CustomMetadataKey.datalake_id == Datalake.id)
    .where(Datalake.id == bindparam("datalake"))
    .order_by(CustomMetadataKey.key)
)


def get_schema(session: Session, datalake_id: UUID) -> CustomMetadataSchema:
    """Return the schema of a datalake, its keys in order."""
    # One row for each key; a single row without a key if there is none.
    rows = session.connection().execute(_SCHEMA, {"datalake": datalake_id}).all()
    keys = {key: KeyDefinition.model_validate(definition) for _, key, definition in rows if key is not None}
    return CustomMetadataSchema(keys, rows[0].allow_extra_custom_metadata)


def set_allow_extra(session: Session, datalake_id: UUID, *, allow_extra: bool) -> None:
    """Set whether data of a datalake may have keys that are not in its schema."""
    session.execute(update(Datalake).where(Datalake.id == datalake_id).values(allow_extra_custom_metadata=allow_extra))


def put_key(session: Session, datalake_id: UUID, key: str, definition: KeyDefinition) -> None:
    """Add a key to a datalake's schema, or change it."""
    json = definition.model_dump(mode="json", exclude_none=True)
    session.merge(CustomMetadataKey(datalake_id=datalake_id, key=key, definition=json))


def delete_key(session: Session, datalake_id: UUID, key: str) -> None:
    """Remove a key from a datalake's schema; data keep their values.

    :raises NotFoundError: the schema does not have the key.
    """
    statement = delete(CustomMetadataKey).where(
        CustomMetadataKey.datalake_id == datalake_id, CustomMetadataKey.key == key
    )
    if session.execute(statement.returning(CustomMetadataKey.key)).first() is None:
        raise NotFoundError(f"no key {key!r} in the datalake's custom metadata schema")
