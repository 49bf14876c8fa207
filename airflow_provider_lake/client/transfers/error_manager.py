"""Where the errors of single files are collected."""

import threading

from airflow_provider_lake.client.errors import FileError
from airflow_provider_lake.text.truncation import first_lines


class ErrorManager:
    """Collects errors, from several threads if need be."""

    def __init__(self) -> None:
        self._errors: list[FileError] = []
        self._lock = threading.Lock()

    def __str__(self) -> str:
        return "\n".join(first_lines(self.errors))

    @property
    def errors(self) -> list[FileError]:
        """The errors so far."""
        with self._lock:
            return list(self._errors)

    def has_errors(self) -> bool:
        """Return whether there are any."""
        return bool(self.errors)

    def clear(self) -> None:
        """Forget them."""
        with self._lock:
            self._errors.clear()

    def append(self, error: FileError) -> None:
        """Add one."""
        with self._lock:
            self._errors.append(error)
