"""How a task says which data, and which jobs, it means."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_lake.client import Datalake, MultiData


JobIds = str | Mapping[str, Any]


def as_names(value: str | Sequence[str] | None) -> list[str]:
    """Return one name, several or none as a list; a template often renders to a single string.

    Empty strings are left out: they are templates that rendered to nothing.
    """
    if value is None:
        return []
    return [str(name) for name in ([value] if isinstance(value, str) else value) if name != ""]


def as_job_ids(value: JobIds | Sequence[JobIds]) -> list[str]:
    """Return the ids of jobs, each given as itself or as the summary of the task that started the job."""
    each = [value] if isinstance(value, str | Mapping) else value
    return as_names([one["job_id"] if isinstance(one, Mapping) else str(one) for one in each])


def select_data(
    datalake: "Datalake", *, ids: Sequence[str], tags: Sequence[str], intersect_tags: bool, query: str | None
) -> "MultiData":
    """List the data that match everything given.

    :raises airflow_provider_lake.client.UsageError: nothing is given: the whole lake is never meant by accident.
    :raises airflow_provider_lake.client.NoDataError: nothing matches.
    """
    from airflow_provider_lake.client import UsageError

    if not (ids or tags or query):
        raise UsageError("no data selected: give data_ids, tags or query")
    return datalake.list_data(
        ids=list(ids) or None, tags=list(tags) or None, intersect_tags=intersect_tags, q=query or None
    )
