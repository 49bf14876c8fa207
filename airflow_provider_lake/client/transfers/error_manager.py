"""The error manager, which collects the errors of single files."""

import threading

from airflow_provider_lake.client.errors import FileError
from airflow_provider_lake.text.truncation import first_lines


class ErrorManager:
    """Collects errors; safe to use from several threads."""

    def __init__(self) -> None:
        self._errors: list[FileError] = []
        self._lock = threading.Lock()

    def __str__(self) -> str:
        return "\n".join(first_lines(self.errors))

    @property
    def errors(self) -> list[FileError]:
        """The errors collected so far."""
        with self._lock:
            return list(self._errors)

    def has_errors(self) -> bool:
        """Return whether any errors were collected."""
        return bool(self.errors)

    def clear(self) -> None:
        """Remove all collected errors."""
        with self._lock:
            self._errors.clear()

    def append(self, error: FileError) -> None:
        """Add an error."""
        with self._lock:
            self._errors.append(error)
