"""How a retried task finds the job that an earlier try started.

Airflow 3.3 keeps a task's state across its tries; below that nothing is kept, and every try starts a job of its own.
Airflow is still moving here, which is why nobody but this module knows how.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import Context

_KEY = "lake_job"


def load_job(context: "Context") -> dict[str, Any] | None:
    """Return what an earlier try of this task said about its job."""
    store = context.get("task_state_store")
    found = store.get(_KEY) if store is not None else None
    return found if isinstance(found, dict) else None


def save_job(context: "Context", record: dict[str, Any]) -> None:
    """Keep what later tries of this task need to know about its job.

    :param record: JSON, ``job_id`` among it.
    """
    store = context.get("task_state_store")
    if store is not None:
        store.set(_KEY, record)


def is_first_try(context: "Context") -> bool:
    """Whether this is the first try since the task was made or cleared: what had ended before then is to be done again.

    Clearing a task leaves its state, and raises its ``max_tries`` by the retries that it gets anew.
    """
    instance = context["ti"]
    return bool(instance.try_number == instance.max_tries - (instance.task.retries or 0) + 1)
