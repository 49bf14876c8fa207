"""The API token of a session, and how it is replaced once a lake refuses it: tokens are rotated while work goes on."""

import threading
import time
from collections.abc import Callable

# Threads whose requests are refused at about the same time ask once.
_MIN_RENEW_INTERVAL_SECONDS = 1.0


class ApiToken:
    """A token that many threads use at a time, and that one of them replaces.

    :param value: the token; None: there is none.
    :param renew: gives the token anew, from wherever it comes; None: it cannot be had anew.
    """

    def __init__(self, value: str | None, renew: Callable[[], str] | None = None) -> None:
        self.value = value
        self._renew = renew
        self._lock = threading.Lock()
        self._renewed_at = -_MIN_RENEW_INTERVAL_SECONDS

    def renew(self, refused: str | None) -> bool:
        """Whether there is another token than one that a lake has refused; where there is none, it is asked for."""
        with self._lock:
            if (
                self.value == refused
                and self._renew is not None
                and time.monotonic() - self._renewed_at > _MIN_RENEW_INTERVAL_SECONDS
            ):
                self.value = self._renew()
                self._renewed_at = time.monotonic()
            return self.value != refused
