"""Stored objects, and who uses them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from airflow_provider_lake.server.store.tables import Data, Datalake, Projection

# Databases limit the parameters of one statement.
_BATCH = 1000


def find_unused(session: Session, organization_id: UUID, object_names: Sequence[str]) -> list[str]:
    """Return those of an organization's objects that none of its data and projections uses, each once."""
    used: set[str] = set()
    # Restricted by datalake too, since the index starts with it.
    of_its_lakes = Data.datalake_id.in_(select(Datalake.id).where(Datalake.organization_id == organization_id))
    shown = select(Projection.object_name).join(Data, Data.position == Projection.data_position).where(of_its_lakes)
    for start in range(0, len(object_names), _BATCH):
        batch = object_names[start : start + _BATCH]
        used.update(session.scalars(select(Data.object_name).where(of_its_lakes, Data.object_name.in_(batch))))
        used.update(session.scalars(shown.where(Projection.object_name.in_(batch))))
    return [name for name in dict.fromkeys(object_names) if name not in used]
