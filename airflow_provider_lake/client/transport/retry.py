"""When a request is sent again: a frozen policy and its decision."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Answers that say the request was turned away before anything was done.
_NOT_ACTED_ON = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended that did not succeed.

    :param status: HTTP status of the answer; None: no usable answer came.
    :param retry_after: seconds that the answer asks to wait.
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
    """How often and how fast a request is sent again.

    :param attempts: at most this many, the first included.
    :param base_delay: seconds, the longest first wait; doubled for every further one.
    :param max_delay: seconds, the longest of these waits.
    :param total: seconds of waiting, all together, beyond which nothing is sent again.
    :param statuses: HTTP statuses of answers worth another attempt.
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
