"""The blob store of each organization; no object name leads from one into another."""

from dataclasses import dataclass
from uuid import UUID

from airflow_provider_lake.server.blobs.base import BlobStore
from airflow_provider_lake.server.blobs.names import organization_prefix


@dataclass(frozen=True, slots=True)
class Stores:
    """The objects of all organizations.

    :param root: the whole bucket; objects outside of the reserved folder belong to the first organization.
    :param first: id of the first organization.
    """

    root: BlobStore
    first: UUID

    def for_organization(self, organization_id: UUID) -> BlobStore:
        """Return the store of one organization."""
        return (
            self.root if organization_id == self.first else self.root.with_prefix(organization_prefix(organization_id))
        )
