"""What a program has said of its own job so far.

A job is a frozen record, yet whoever logs counts lines. This count, with the length of the buffer, is the one thing
about a job that changes: all records that were read of each other share it.
"""

import os
import sys
import threading
from typing import Any


class JobLog:
    """The state of a job's log, seen from the program that writes it. May be used by many threads at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next_number = 0
        self._buffer_length = 1

    def __reduce__(self) -> tuple[Any, ...]:
        # A session that comes out of a pickle cannot send, so there is nothing to go on counting.
        return type(self), ()

    def next_number(self) -> int:
        """Return the number of the next line."""
        with self._lock:
            number = self._next_number
            self._next_number += 1
        return number

    def start_chapter(self, name: str) -> None:
        """Mark in what the program prints that a chapter begins."""
        _marker(f"--#--{name}\n")

    def start_buffer(self, length: int) -> None:
        """Mark in what the program prints that lines which replace each other begin.

        :param length: how many are shown at a time.
        """
        self._buffer_length = length
        _marker(f"--{length}--")

    def end_buffer(self) -> None:
        """Mark in what the program prints that lines which replace each other end."""
        _marker(f"--{self._buffer_length}--")


def _marker(text: str) -> None:
    """Print a mark where the output is read by the platform; it says so by the environment of its containers."""
    if os.environ.get("PICSELLIA_SDK_SECTION_HANDLER") == "1":
        sys.stdout.write(text)
        sys.stdout.flush()
