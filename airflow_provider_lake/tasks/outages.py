"""Waiting through outages: a short outage of the lake does not fail a task, one beyond the outage budget does."""

import math
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from airflow_provider_lake.client import LakeError

# Airflow's loggers are not instances of logging.Logger in every version.
Logger = Any
# The longest delay between two polls in an outage, unless `poll_interval` is longer.
_MAX_BACKOFF_SECONDS = 60.0
_MARGIN_SECONDS = 0.01

_T = TypeVar("_T")


def backoff(interval: float, failures: int) -> float:
    """Return the seconds until the next attempt in an outage: random, growing, at least ``interval``.

    :param interval: seconds between two polls outside an outage.
    :param failures: failed attempts in a row.
    """
    longest = min(_MAX_BACKOFF_SECONDS, interval * 2.0 ** min(failures, 16))
    return max(interval, random.uniform(0.5, 1.0) * longest)


class OutageBudget:
    """How long a lake may fail to respond before the wait for it fails.

    The sender of a request reports its outcome: :meth:`tolerate` for an error, :meth:`reset` for a response.

    :param budget: seconds that one outage may last.
    :param outage_since: start of an outage that an earlier process saw, in seconds since 1970.
    :param retry_at: earliest time of the next request, by the lake's ``Retry-After``, in seconds since 1970.
    :param token_was_accepted: whether the lake has accepted the token before. A refusal after that may mean that the
        token is being rotated and the connection does not have the new one yet: it counts as an outage.
    """

    def __init__(
        self,
        budget: float,
        log: Logger,
        outage_since: float | None = None,
        retry_at: float = 0.0,
        *,
        token_was_accepted: bool = False,
    ) -> None:
        self.retry_at = retry_at
        self.token_was_accepted = token_was_accepted
        self._budget = budget
        self._log = log
        self._failures = 0 if outage_since is None else 1
        self._outage_since = time.monotonic() - max(0.0, time.time() - (outage_since or math.inf))

    @property
    def in_outage(self) -> bool:
        """Whether the last request got no usable response."""
        return self._failures > 0

    @property
    def outage_seconds(self) -> float:
        """Seconds since the first failure of this outage; 0 outside an outage."""
        return time.monotonic() - self._outage_since if self._failures else 0.0

    @property
    def is_exhausted(self) -> bool:
        """Whether this outage has lasted longer than the budget."""
        return self._failures > 0 and self.outage_seconds >= self._budget

    @property
    def is_backing_off(self) -> bool:
        """Whether the lake asked for a pause that is not over, and the budget lasts."""
        return time.time() < self.retry_at and not self.is_exhausted

    def reset(self) -> None:
        """End the outage: the lake has responded."""
        self._failures, self.token_was_accepted = 0, True

    def tolerate(self, error: "LakeError") -> None:
        """Count a failed request; return if it may be sent again.

        :raises airflow_provider_lake.client.LakeError: ``error`` itself, if it is permanent or the budget is exhausted.
        """
        if not self._is_transient(error):
            raise error
        if not self._failures:
            self._outage_since = time.monotonic()
        self._failures += 1
        self.retry_at = time.time() + (getattr(error, "retry_after", None) or 0.0)
        if self.is_exhausted:
            raise error
        self._log.warning("The lake does not answer, for %.0f s now: %s", self.outage_seconds, error)

    def next_delay(self, interval: float) -> float:
        """Return the seconds until the next request.

        In an outage they grow and respect ``Retry-After``, but end when the budget does.

        :param interval: seconds outside an outage.
        """
        if not self._failures:
            return interval
        left = max(0.0, self._budget - self.outage_seconds) + _MARGIN_SECONDS
        return min(left, max(backoff(interval, self._failures), self.retry_at - time.time()))

    def _is_transient(self, error: "LakeError") -> bool:
        from airflow_provider_lake.client import RateLimitedError, ServerError, TransportError, UnauthorizedError

        if isinstance(error, UnauthorizedError):
            return self.token_was_accepted
        return isinstance(error, TransportError | ServerError | RateLimitedError)


def retry_in_outage(request: Callable[[], _T], budget: OutageBudget, interval: float) -> _T:
    """Return the result of a request, repeated while the lake fails to respond and the budget lasts.

    :param interval: shortest delay between two attempts, in seconds.
    :raises airflow_provider_lake.client.LakeError: a permanent error, or the last one of an outage beyond the budget.
    """
    from airflow_provider_lake.client import LakeError

    while True:
        try:
            result = request()
        except LakeError as error:
            budget.tolerate(error)
        else:
            budget.reset()
            return result
        time.sleep(budget.next_delay(interval))
