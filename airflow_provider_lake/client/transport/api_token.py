"""The API token of a session, and its renewal once a lake refuses it: tokens may be rotated during long work."""

import threading
import time
from collections.abc import Callable

# Threads whose requests are refused at about the same time renew the token once.
_MIN_RENEW_INTERVAL_SECONDS = 1.0


class ApiToken:
    """A token that many threads use at a time, and that one of them renews.

    :param value: the token; None: there is none.
    :param renew: returns a new token; None: the token cannot be renewed.
    """

    def __init__(self, value: str | None, renew: Callable[[], str] | None = None) -> None:
        self.value = value
        self._renew = renew
        self._lock = threading.Lock()
        self._renewed_at = -_MIN_RENEW_INTERVAL_SECONDS

    def renew(self, refused: str | None) -> bool:
        """Renew the token unless it has been renewed already, and return whether it differs from the refused one."""
        with self._lock:
            if (
                self.value == refused
                and self._renew is not None
                and time.monotonic() - self._renewed_at > _MIN_RENEW_INTERVAL_SECONDS
            ):
                self.value = self._renew()
                self._renewed_at = time.monotonic()
            return self.value != refused
