"""The state of a job's log, for the program that writes it.

A job is a frozen record, yet log lines are numbered. This counter and the length of the buffer are the only mutable
state of a job; all records that were refreshed from one another share it.
"""

import os
import sys
import threading
from typing import Any


class JobLog:
    """The state of a job's log, for the program that writes it. May be used by many threads at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next_number = 0
        self._buffer_length = 1

    def __reduce__(self) -> tuple[Any, ...]:
        # A session from a pickle cannot send, so the count need not continue.
        return type(self), ()

    def next_number(self) -> int:
        """Return the number of the next line."""
        with self._lock:
            number = self._next_number
            self._next_number += 1
        return number

    def start_chapter(self, name: str) -> None:
        """Print a marker: a chapter starts."""
        _marker(f"--#--{name}\n")

    def start_buffer(self, length: int) -> None:
        """Print a marker: a buffer starts, whose lines replace each other.

        :param length: number of lines shown at a time.
        """
        self._buffer_length = length
        _marker(f"--{length}--")

    def end_buffer(self) -> None:
        """Print a marker: the buffer ends."""
        _marker(f"--{self._buffer_length}--")


def _marker(text: str) -> None:
    """Print a marker if the platform reads the output, which an environment variable of its containers shows."""
    if os.environ.get("PICSELLIA_SDK_SECTION_HANDLER") == "1":
        sys.stdout.write(text)
        sys.stdout.flush()
