"""The tries of one task.

Airflow's own store of a task's state is had only inside a running task (the end-to-end tests use it); here a dictionary
stands in its place.
"""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

_NAMES: dict[str, Any] = {"dag_id": "dag", "task_id": "task", "map_index": -1}


class Tries:
    """The tries of one task: their contexts share its state.

    :param retries: of the task.
    """

    def __init__(self, retries: int = 2) -> None:
        self.state: dict[str, Any] = {}
        self.run_id = str(uuid4())
        self.retries = retries
        self.try_number = 0
        self.max_tries = retries
        self.started = datetime.now(UTC)
        # What Airflow answers when it is asked for the task's state.
        self.airflow_says = "failed"
        self.xcoms: dict[str, Any] = {}

    def next(self) -> Any:
        """Return the context of the next try."""
        self.try_number += 1
        task = SimpleNamespace(retries=self.retries)
        instance = SimpleNamespace(
            try_number=self.try_number,
            max_tries=self.max_tries,
            task=task,
            start_date=self.started,
            get_first_reschedule_date=lambda _context: self.started if self.try_number > 1 else None,
            **_NAMES,
            xcom_push=lambda key, value: self.xcoms.update({key: value}),
            run_id=self.run_id,
            get_task_states=lambda **_asked: {self.run_id: {_NAMES["task_id"]: self.airflow_says}},
        )
        store = SimpleNamespace(
            get=self.state.get, set=self.state.__setitem__, delete=lambda key: self.state.pop(key, None)
        )
        run = SimpleNamespace(start_date=self.started)
        return {"ti": instance, "task_state_store": store, "dag_run": run}

    def clear(self) -> None:
        """Clear the task, as Airflow does."""
        self.max_tries = self.try_number + self.retries
