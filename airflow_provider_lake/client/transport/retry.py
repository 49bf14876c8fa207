"""Retries: a frozen policy, its decision, and the one loop that follows it.

Loops do not nest. Work that takes several requests, such as a registration that is looked up after an ambiguous
outcome, makes them within one attempt; work in stages passes the same :class:`Attempts` to all of them.
"""

import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from airflow_provider_lake.client.errors import LakeError, ResponseError, ServerError, TransportError

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

# Statuses of requests that the server rejected before it acted on them.
_NOT_ACTED_ON = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a failed attempt ended.

    :param status: HTTP status of the response; None: no usable response came.
    :param retry_after: seconds to wait, as the response requests.
    :param was_sent: False: the request surely never reached the server.
    """

    status: int | None = None
    retry_after: float | None = None
    was_sent: bool = True

    @property
    def is_ambiguous(self) -> bool:
        """Whether the server may have acted on the request."""
        return self.was_sent and self.status not in _NOT_ACTED_ON


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and after which waits, a request is sent again.

    :param attempts: at most this many, the first included.
    :param base_delay: seconds, the longest first wait; doubled for every further one.
    :param max_delay: seconds, the longest of these waits.
    :param total: seconds of waiting in all, beyond which nothing is sent again.
    :param statuses: HTTP statuses of responses worth another attempt.
    """

    attempts: int = 5
    base_delay: float = 0.5
    max_delay: float = 20.0
    total: float = 120.0
    statuses: frozenset[int] = frozenset({429, 502, 503, 504})

    def delay(self, attempt: int, waited: float, outcome: Outcome, jitter: float = 1.0) -> float | None:
        """Decide how long to wait before the next attempt.

        :param attempt: number of attempts made.
        :param waited: seconds waited between them.
        :param jitter: share of the full wait to take, 0 to 1; drawn anew each time, it spreads the clients out.
        :return: seconds; None: give up.
        """
        if attempt >= self.attempts or (outcome.status is not None and outcome.status not in self.statuses):
            return None
        # The exponent is bounded: 2.0**1024 overflows.
        wait = jitter * min(self.max_delay, self.base_delay * 2.0 ** min(attempt - 1, 64))
        if outcome.retry_after is not None:
            wait = max(wait, outcome.retry_after)
        return wait if wait <= self.total - waited else None


def parse_retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Read a Retry-After header, which holds seconds or an HTTP date.

    :param now: the present, for dates.
    :return: seconds from now, never negative; None: absent or unreadable.
    """
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())


class Attempts:
    """Attempts at one piece of work, counted over all its stages.

    :param policy: how many attempts, and how long to wait in all.
    :param sleep: waits for the given number of seconds; may raise to end the work.
    """

    def __init__(self, policy: RetryPolicy, sleep: Callable[[float], object] = time.sleep) -> None:
        self.policy = policy
        self._sleep = sleep
        self._failed = 0
        self._waited = 0.0

    def repeat(
        self, attempt: Callable[[], _T], *, repeatable: bool, recover: Callable[[], _T | None] | None = None
    ) -> _T:
        """Attempt something until it succeeds or the policy gives up, and return its result.

        :param repeatable: whether to attempt it again after an ambiguous outcome.
        :param recover: looks up the result of an earlier attempt whose outcome is ambiguous, before each further
            attempt and once more at the end; returns None if there is no result.
        :raises LakeError: the error of the last attempt.
        """
        is_ambiguous = False
        while True:
            try:
                if is_ambiguous and recover is not None and (found := recover()) is not None:
                    return found
                return attempt()
            except (TransportError, ResponseError) as error:
                self._failed += 1
                outcome = outcome_of(error)
                has_failed = isinstance(error, TransportError | ServerError)
                is_ambiguous = is_ambiguous or (has_failed and outcome.is_ambiguous)
                wait = self.policy.delay(self._failed, self._waited, outcome, random.random())
                if wait is None or (outcome.is_ambiguous and not repeatable):
                    if is_ambiguous and has_failed and recover is not None:
                        with suppress(LakeError):
                            if (found := recover()) is not None:
                                return found
                    raise
                number = self._failed + 1
                logger.warning("%s; attempt %d of %d follows in %.1f s", error, number, self.policy.attempts, wait)
            self._sleep(wait)
            self._waited += wait


def outcome_of(error: TransportError | ResponseError) -> Outcome:
    """Return the outcome that an error stands for."""
    if isinstance(error, TransportError):
        return Outcome(was_sent=error.was_sent)
    return Outcome(error.status, error.retry_after)
