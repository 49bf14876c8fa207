"""How a retried task finds what an earlier try has done.

Airflow 3.3 keeps a task's state across its tries; below that nothing is kept, and every try begins anew. Airflow is
still moving here, which is why nobody but this module knows how.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import Context


def load_record(context: "Context", key: str) -> dict[str, Any] | None:
    """Return what an earlier try of this task has kept under a key."""
    store = context.get("task_state_store")
    found = store.get(key) if store is not None else None
    return found if isinstance(found, dict) else None


def save_record(context: "Context", key: str, record: dict[str, Any]) -> None:
    """Keep for later tries of this task what they need to know.

    :param record: JSON; Airflow takes 64 KiB of it.
    """
    store = context.get("task_state_store")
    if store is not None:
        store.set(key, record)


def can_remember(context: "Context") -> bool:
    """Whether what is kept now is known to later tries of this task."""
    return context.get("task_state_store") is not None


def is_first_try(context: "Context") -> bool:
    """Whether this is the first try since the task was made or cleared: what had ended before then is to be done again.

    Clearing a task leaves its state, and raises its ``max_tries`` by the retries that it gets anew.
    """
    return bool(context["ti"].try_number == first_try_number(context))


def first_try_number(context: "Context") -> int:
    """Return the number of the first try since the task was made or cleared; 0 outside a running task."""
    instance = context.get("ti")
    return 0 if instance is None else int(instance.max_tries - (instance.task.retries or 0) + 1)
