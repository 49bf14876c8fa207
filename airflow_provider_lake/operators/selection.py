"""How a task says which names and which jobs it means; which data, says ``data_selection``."""

from collections.abc import Mapping, Sequence
from typing import Any

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
