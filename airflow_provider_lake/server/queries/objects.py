"""Stored objects, and who uses them."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from airflow_provider_lake.server.tables import Data, Datalake, Projection

# Databases bound the arguments of one statement.
_BATCH = 1000


def find_unused(session: Session, object_names: Sequence[str]) -> list[str]:
    """Return those of the names that no data and no projection uses, each once."""
    used: set[str] = set()
    for start in range(0, len(object_names), _BATCH):
        batch = object_names[start : start + _BATCH]
        # Named by datalake too, since that is how data are indexed.
        of_any_lake = Data.datalake_id.in_(select(Datalake.id))
        used.update(session.scalars(select(Data.object_name).where(of_any_lake, Data.object_name.in_(batch))))
        used.update(session.scalars(select(Projection.object_name).where(Projection.object_name.in_(batch))))
    return [name for name in dict.fromkeys(object_names) if name not in used]
