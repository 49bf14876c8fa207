"""The tries of one task.

Airflow's own store of a task's state is had only inside a running task (the end-to-end tests use it); here a dictionary
stands in its place.
"""

from types import SimpleNamespace
from typing import Any


class Tries:
    """The tries of one task: their contexts share its state.

    :param retries: of the task.
    """

    def __init__(self, retries: int = 2) -> None:
        self.state: dict[str, Any] = {}
        self.retries = retries
        self.try_number = 0
        self.max_tries = retries

    def next(self) -> Any:
        """Return the context of the next try."""
        self.try_number += 1
        task = SimpleNamespace(retries=self.retries)
        instance = SimpleNamespace(try_number=self.try_number, max_tries=self.max_tries, task=task)
        store = SimpleNamespace(get=self.state.get, set=self.state.__setitem__)
        return {"ti": instance, "task_state_store": store}

    def clear(self) -> None:
        """Clear the task, as Airflow does."""
        self.max_tries = self.try_number + self.retries
