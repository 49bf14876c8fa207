"""How a retried task finds what an earlier try has done.

Airflow 3.3 keeps a task's state across its tries; below that nothing is kept, and every try begins anew. Airflow is
still moving here, which is why nobody but this module knows how.
"""

import logging
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_lake.tasks.fingerprints import fingerprint

if TYPE_CHECKING:
    from airflow.sdk import Context


logger = logging.getLogger(__name__)

# A killed task has five seconds before it is killed for good.
_STATE_TIMEOUT_SECONDS = 2.0


def load_record(context: "Context", key: str) -> dict[str, Any] | None:
    """Return what an earlier try of this task has kept under a key."""
    store = context.get("task_state_store")
    found = store.get(key) if store is not None else None
    return found if isinstance(found, dict) else None


def save_record(context: "Context", key: str, record: dict[str, Any]) -> None:
    """Keep for later tries of this task what they need to know.

    :param record: JSON; above 64 KiB (``[state_store] max_value_storage_bytes``) Airflow logs a warning with each.
    """
    store = context.get("task_state_store")
    if store is not None:
        store.set(key, record)


def has_state_store(context: "Context") -> bool:
    """Whether what is kept now is known to later tries of this task."""
    return context.get("task_state_store") is not None


def delete_record(context: "Context", key: str) -> None:
    """Forget what was kept, if anything was."""
    store = context.get("task_state_store")
    if store is not None and store.get(key) is not None:
        store.delete(key)


def is_first_try(context: "Context") -> bool:
    """Whether this is the first try since the task was made or cleared: what had ended before then is to be done again.

    Clearing a task leaves its state, and raises its ``max_tries`` by the retries that it gets anew.
    """
    return bool(context["ti"].try_number == first_try_number(context))


def has_next_try(context: "Context | None") -> bool:
    """Whether Airflow would try this task again if it failed now; True where that is not known."""
    instance = None if context is None else context.get("ti")
    return instance is None or bool(instance.try_number <= instance.max_tries)


def first_try_number(context: "Context") -> int:
    """Return the number of the first try since the task was made or cleared; 0 outside a running task."""
    instance = context.get("ti")
    return 0 if instance is None else int(instance.max_tries - (instance.task.retries or 0) + 1)


def run_started_at(context: "Context") -> datetime:
    """Return when the DAG run began, all tries of its tasks; outside a run, it is now.

    Where a run that had ended is gone on with, since its tasks were cleared, it begins then.
    """
    started = getattr(context.get("dag_run"), "start_date", None)
    return started if isinstance(started, datetime) else datetime.now(UTC)


def is_last_try(context: "Context") -> bool:
    """Whether Airflow tries the task no further, whatever becomes of this try; so outside a running task."""
    instance = context.get("ti")
    return instance is None or bool(instance.try_number > instance.max_tries)


def idempotency_key(context: "Context", *what: Any) -> str | None:
    """Return a key of what a task does, the same for all its tries since it was made or cleared; None outside a task.

    :param what: tells the things that a task does from each other, as a fingerprint takes it.
    """
    instance = context.get("ti")
    if instance is None:
        return None
    names = [str(getattr(instance, name, None)) for name in ("dag_id", "run_id", "task_id", "map_index")]
    return fingerprint(*names, first_try_number(context), *what)[:32]


def will_resume_elsewhere(context: "Context | None") -> bool:
    """Whether a task that is being killed is to go on elsewhere, as when its worker is shut down.

    Such a task still counts as running. Airflow does not tell a task why it is killed, but it says of each task how it
    is. Where it does not answer in time, or keeps no state from which another try could go on (below 3.3), the task is
    taken to be over.
    """
    if context is None or not has_state_store(context):
        return False
    states: list[str | None] = []
    # A signal may have come while this thread was asking Airflow for something: another thread can wait its turn.
    thread = threading.Thread(target=_read_task_states, args=(context["ti"], states), daemon=True)
    thread.start()
    thread.join(_STATE_TIMEOUT_SECONDS)
    return states == ["running"]


def _read_task_states(instance: Any, states: list[str | None]) -> None:
    try:
        found = instance.get_task_states(
            dag_id=instance.dag_id, task_ids=[instance.task_id], run_ids=[instance.run_id], map_index=instance.map_index
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, the task is being killed and does not wait
        logger.warning("Airflow does not say how this task is: %s", error)
    else:
        states += (found.get(instance.run_id) or {}).values()
