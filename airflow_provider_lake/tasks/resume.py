"""How a retried task finds the state that an earlier try has stored.

Airflow 3.3 stores a task's state across its tries; earlier versions store nothing, and every try starts over. This
interface of Airflow still changes, so only this module uses it.
"""

import logging
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_lake.tasks.fingerprints import fingerprint

if TYPE_CHECKING:
    from airflow.sdk import Context


logger = logging.getLogger(__name__)

# Airflow sends a task SIGKILL five seconds after SIGTERM.
_STATE_TIMEOUT_SECONDS = 2.0


def load_record(context: "Context", key: str) -> dict[str, Any] | None:
    """Return the record that an earlier try of this task has stored under a key; None: there is none."""
    store = context.get("task_state_store")
    found = store.get(key) if store is not None else None
    return found if isinstance(found, dict) else None


def save_record(context: "Context", key: str, record: dict[str, Any]) -> None:
    """Store a record for later tries of this task.

    :param record: JSON; above 64 KiB (``[state_store] max_value_storage_bytes``) Airflow logs a warning each time.
    """
    store = context.get("task_state_store")
    if store is not None:
        store.set(key, record)


def has_state_store(context: "Context") -> bool:
    """Whether later tries of this task can read the records that it stores."""
    return context.get("task_state_store") is not None


def delete_record(context: "Context", key: str) -> None:
    """Delete a stored record, if there is one."""
    store = context.get("task_state_store")
    if store is not None and store.get(key) is not None:
        store.delete(key)


def is_first_try(context: "Context") -> bool:
    """Whether this is the first try since the task was created or cleared; work from before a clear is done again.

    Clearing a task keeps its state, and raises its ``max_tries`` by its number of retries.
    """
    return bool(context["ti"].try_number == first_try_number(context))


def has_next_try(context: "Context | None") -> bool:
    """Whether Airflow would retry this task if it failed now; True if that is unknown."""
    instance = None if context is None else context.get("ti")
    return instance is None or bool(instance.try_number <= instance.max_tries)


def first_try_number(context: "Context") -> int:
    """Return the number of the first try since the task was created or cleared; 0 outside a running task."""
    instance = context.get("ti")
    return 0 if instance is None else int(instance.max_tries - (instance.task.retries or 0) + 1)


def run_started_at(context: "Context") -> datetime:
    """Return when the DAG run started, the same for all tries of its tasks; outside a run, the current time.

    If tasks of a finished run are cleared, the run starts again at that time.
    """
    started = getattr(context.get("dag_run"), "start_date", None)
    return started if isinstance(started, datetime) else datetime.now(UTC)


def is_last_try(context: "Context") -> bool:
    """Whether Airflow would not retry the task if this try failed; True outside a running task."""
    instance = context.get("ti")
    return instance is None or bool(instance.try_number > instance.max_tries)


def idempotency_key(context: "Context", *what: Any) -> str | None:
    """Return a key of an operation of a task, equal in all tries since it was created or cleared; None outside a task.

    :param what: distinguishes the operations of a task; any values that :func:`fingerprint` accepts.
    """
    instance = context.get("ti")
    if instance is None:
        return None
    names = [str(getattr(instance, name, None)) for name in ("dag_id", "run_id", "task_id", "map_index")]
    return fingerprint(*names, first_try_number(context), *what)[:32]


def will_resume_elsewhere(context: "Context | None") -> bool:
    """Whether a task that is being killed will resume elsewhere, as when its worker shuts down.

    Airflow does not report to a task why it is killed, but such a task is still in state "running". If Airflow does
    not respond in time, or has no state store from which another try could resume (below 3.3), the result is False.
    """
    if context is None or not has_state_store(context):
        return False
    states: list[str | None] = []
    # A signal may interrupt this thread during a request to Airflow; another thread can wait until that has finished.
    thread = threading.Thread(target=_read_task_states, args=(context["ti"], states), daemon=True)
    thread.start()
    thread.join(_STATE_TIMEOUT_SECONDS)
    return states == ["running"]


def _read_task_states(instance: Any, states: list[str | None]) -> None:
    try:
        found = instance.get_task_states(
            dag_id=instance.dag_id, task_ids=[instance.task_id], run_ids=[instance.run_id], map_index=instance.map_index
        )
    except Exception as error:  # noqa: BLE001 - any error: the task is being killed and does not wait
        logger.warning("Airflow does not say how this task is: %s", error)
    else:
        states += (found.get(instance.run_id) or {}).values()
