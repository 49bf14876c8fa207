"""Custom metadata schemas: what a datalake expects of its data's custom metadata."""

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
        """Return the described keys, and whether others are allowed."""
        schema = self._session.request("GET", self._path)
        return require_mapping(schema)

    def set_allow_extra(self, allow: bool) -> None:
        """Allow or forbid keys that are not described."""
        self._session.request("PATCH", self._path, json={"allow_extra_custom_metadata": allow})

    def upsert(self, key: str, description: Mapping[str, Any]) -> dict[str, Any]:
        """Describe a key, anew if it is described already, and return its description."""
        # Repeatable: it replaces itself.
        return require_mapping(self._session.request("POST", self._key_path(key), json=description, repeatable=True))

    def delete(self, key: str) -> None:
        """Describe a key no more."""
        self._session.delete(self._key_path(key))

    def update(
        self, wanted: Mapping[str, Mapping[str, Any]], delete_missing: bool, raise_on_error: bool
    ) -> dict[str, Any]:
        """Make the schema as it is wanted, and report the result of each key.

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
        """Change one key as it is wanted, and return what that was."""
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
    """Return a description without what is as if it was not said."""
    return {name: value for name, value in description.items() if value is not None and value is not False}


@dataclass(frozen=True, slots=True, eq=False)
class CustomMetadataSchemaMixin(Record):
    """A datalake, as far as it says which custom metadata its data have."""

    def get_custom_metadata_schema(self) -> dict[str, Any]:
        """Return which custom metadata are known: key to its description, and whether others are allowed."""
        return self._schema.get()

    def set_allow_extra_custom_metadata(self, allow_extra_custom_metadata: bool) -> None:
        """Allow or forbid custom metadata that the schema does not name."""
        self._schema.set_allow_extra(allow_extra_custom_metadata)

    def upsert_custom_metadata_schema_key(self, key: str, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Describe a key of the custom metadata, anew if it is described already, and return its description.

        :param schema: ``input_type`` (``STRING``, ``INTEGER``, ``FLOAT``, ``DATETIME`` or ``BOOLEAN``), ``required``,
            and optionally ``display_name``, ``archived``, ``choices``, ``allow_multiple``, ``min`` and ``max``.
        """
        return self._schema.upsert(key, schema)

    def delete_custom_metadata_schema_key(self, key: str) -> None:
        """Take a key out of the schema."""
        self._schema.delete(key)

    def update_custom_metadata_schema(
        self,
        custom_metadata_schema: Mapping[str, Mapping[str, Any]],
        delete_missing_keys: bool = False,
        raise_on_error: bool = True,
    ) -> dict[str, Any]:
        """Describe several keys of the custom metadata; all are tried, even when one fails.

        :param custom_metadata_schema: key to its description.
        :param delete_missing_keys: take all other keys out of the schema.
        :return: lists of keys: ``created``, ``updated``, ``deleted``, ``unchanged``; and the ``errors`` of the others.
        :raises CustomMetadataSchemaUpdateError: some keys could not be changed, and ``raise_on_error`` is set.
        """
        return self._schema.update(custom_metadata_schema, delete_missing_keys, raise_on_error)

    @property
    def _schema(self) -> CustomMetadataSchema:
        return CustomMetadataSchema(self.session, self.id)
