"""Custom metadata schemas: which custom metadata the data of a datalake may have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

from airflow_provider_lake.client.errors import CustomMetadataSchemaUpdateError, LakeError
from airflow_provider_lake.client.resources.base import Record
from airflow_provider_lake.client.transport.fields import require_mapping
from airflow_provider_lake.client.transport.session import Session


class CustomMetadataSchema:
    """The custom metadata schema of one datalake."""

    def __init__(self, session: Session, datalake_id: UUID) -> None:
        self._session = session
        self._path = f"/api/datalake/{datalake_id}/custom-metadata"

    def get(self) -> dict[str, Any]:
        """Return the keys with their descriptions, and whether others are allowed."""
        schema = self._session.request("GET", self._path)
        return require_mapping(schema)

    def set_allow_extra(self, allow: bool) -> None:
        """Allow or forbid keys that the schema does not describe."""
        self._session.request("PATCH", self._path, json={"allow_extra_custom_metadata": allow})

    def upsert(self, key: str, description: Mapping[str, Any]) -> dict[str, Any]:
        """Set the description of a key, whether or not it has one already, and return it."""
        # Repeatable: the same description replaces itself.
        return require_mapping(self._session.request("POST", self._key_path(key), json=description, repeatable=True))

    def delete(self, key: str) -> None:
        """Remove a key from the schema."""
        self._session.delete(self._key_path(key))

    def update(
        self, wanted: Mapping[str, Mapping[str, Any]], delete_missing: bool, raise_on_error: bool
    ) -> dict[str, Any]:
        """Bring the schema to the requested state, and report the result of each key.

        :raises CustomMetadataSchemaUpdateError: some keys could not be changed, and ``raise_on_error`` is set.
        """
        present = require_mapping(self.get().get("custom_metadata_schema") or {})
        report: dict[str, Any] = {"created": [], "updated": [], "deleted": [], "unchanged": [], "errors": {}}
        missing = [key for key in present if key not in wanted] if delete_missing else []
        for key in [*wanted, *missing]:
            try:
                report[self._apply(key, present.get(key), wanted.get(key))].append(key)
            except LakeError as error:
                report["errors"][key] = error
        if report["errors"] and raise_on_error:
            raise CustomMetadataSchemaUpdateError(report["errors"])
        return report

    def _apply(self, key: str, present: Mapping[str, Any] | None, wanted: Mapping[str, Any] | None) -> str:
        """Bring one key to the requested state, and return which change that was."""
        if wanted is None:
            self.delete(key)
            return "deleted"
        if present is not None and _given(present) == _given(wanted):
            return "unchanged"
        self.upsert(key, wanted)
        return "created" if present is None else "updated"

    def _key_path(self, key: str) -> str:
        return f"{self._path}/keys/{quote(key, safe='')}"


def _given(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return a description without the fields that have their default value."""
    return {name: value for name, value in description.items() if value is not None and value is not False}


@dataclass(frozen=True, slots=True, eq=False)
class CustomMetadataSchemaMixin(Record):
    """The part of a datalake that manages its custom metadata schema."""

    def get_custom_metadata_schema(self) -> dict[str, Any]:
        """Return the schema: each key with its description, and whether others are allowed."""
        return self._schema.get()

    def set_allow_extra_custom_metadata(self, allow_extra_custom_metadata: bool) -> None:
        """Allow or forbid custom metadata that the schema does not describe."""
        self._schema.set_allow_extra(allow_extra_custom_metadata)

    def upsert_custom_metadata_schema_key(self, key: str, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Set the description of a custom metadata key, whether or not it has one already, and return it.

        :param schema: ``input_type`` (``STRING``, ``INTEGER``, ``FLOAT``, ``DATETIME`` or ``BOOLEAN``), ``required``,
            and optionally ``display_name``, ``archived``, ``choices``, ``allow_multiple``, ``min`` and ``max``.
        """
        return self._schema.upsert(key, schema)

    def delete_custom_metadata_schema_key(self, key: str) -> None:
        """Remove a key from the schema."""
        self._schema.delete(key)

    def update_custom_metadata_schema(
        self,
        custom_metadata_schema: Mapping[str, Mapping[str, Any]],
        delete_missing_keys: bool = False,
        raise_on_error: bool = True,
    ) -> dict[str, Any]:
        """Set the descriptions of several custom metadata keys; all are tried, even when one fails.

        :param custom_metadata_schema: key to its description.
        :param delete_missing_keys: remove all other keys from the schema.
        :return: lists of keys: ``created``, ``updated``, ``deleted``, ``unchanged``; and the ``errors`` of the others.
        :raises CustomMetadataSchemaUpdateError: some keys could not be changed, and ``raise_on_error`` is set.
        """
        return self._schema.update(custom_metadata_schema, delete_missing_keys, raise_on_error)

    @property
    def _schema(self) -> CustomMetadataSchema:
        return CustomMetadataSchema(self.session, self.id)
