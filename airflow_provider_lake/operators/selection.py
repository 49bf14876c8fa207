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
    return [str(name) for name in ([value] if isinstance(value, str) else value) if name not in {"", None}]


def as_job_ids(value: JobIds | Sequence[JobIds]) -> list[str]:
    """Return the ids of jobs, each given as itself or as the summary of a task that started, or waited for, jobs."""
    job_ids: list[str] = []
    for each in [value] if isinstance(value, str | Mapping) else value:
        if isinstance(each, Mapping):
            job_ids += [str(job["job_id"]) for job in each.get("jobs", [each])]
        else:
            job_ids += as_names(each)
    return job_ids


def select_data(
    datalake: "Datalake", *, ids: Sequence[str] | None, tags: Sequence[str], intersect_tags: bool, query: str | None
) -> "MultiData":
    """List the data that match everything given.

    :param ids: None: not given; an empty list means no data, and never all.
    :raises airflow_provider_lake.client.UsageError: nothing is given: the whole lake is never meant by accident.
    :raises airflow_provider_lake.client.NoDataError: nothing matches.
    """
    from airflow_provider_lake.client import NoDataError, UsageError

    if ids is None and not (tags or query):
        raise UsageError("no data selected: give data_ids, tags or query")
    if ids is not None and not ids:
        raise NoDataError("data_ids is empty: an upstream task found nothing")
    return datalake.list_data(
        ids=ids and list(ids), tags=list(tags) or None, intersect_tags=intersect_tags, q=query or None
    )
