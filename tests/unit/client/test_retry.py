"""When a request is sent again."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lake.client import (
    ConflictError,
    LakeError,
    NotFoundError,
    RetryPolicy,
    ServerError,
    TransportError,
    UsageError,
)
from airflow_provider_lake.client.transport.retry import Attempts, Outcome, parse_retry_after

NO_ANSWER = Outcome()
AT_ONCE = RetryPolicy(base_delay=0)
NOW = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


def _response_error(kind: type[ServerError | NotFoundError | ConflictError], status: int) -> LakeError:
    return kind(status, "GET", "http://lake/api/x", "words")


def test_waits_double_up_to_the_longest() -> None:
    """The longest wait before each attempt doubles, and then stays."""
    policy = RetryPolicy(attempts=9, base_delay=0.5, max_delay=3.0)

    assert [policy.delay(attempt, 0, NO_ANSWER) for attempt in range(1, 6)] == [0.5, 1.0, 2.0, 3.0, 3.0]


@given(st.integers(1, 10_000), st.floats(0, 1), st.floats(0, 1e6))
def test_a_wait_is_never_negative_nor_beyond_the_policy(attempt: int, jitter: float, waited: float) -> None:
    """Whatever happened, a wait lies within the longest one and within the total."""
    policy = RetryPolicy(attempts=10_001)
    wait = policy.delay(attempt, waited, NO_ANSWER, jitter)

    assert wait is None or 0 <= wait <= min(policy.max_delay, policy.total - waited)


def test_gives_up_after_the_last_attempt_and_after_the_total_wait() -> None:
    """Neither more attempts nor more seconds of waiting than the policy allows."""
    assert RetryPolicy(attempts=5).delay(5, 0, NO_ANSWER) is None
    assert RetryPolicy(total=10, base_delay=4).delay(1, 7, NO_ANSWER) is None


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_busy_servers_are_asked_again(status: int) -> None:
    """These statuses say that a later attempt may succeed."""
    assert RetryPolicy().delay(1, 0, Outcome(status)) is not None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500])
def test_refusals_are_final(status: int) -> None:
    """These statuses mean the same answer next time."""
    assert RetryPolicy().delay(1, 0, Outcome(status)) is None


def test_retry_after_is_obeyed_or_the_attempts_end() -> None:
    """Nothing is sent before the server wants it; a wish beyond the total time ends the attempts."""
    assert RetryPolicy().delay(1, 0, Outcome(429, retry_after=30), jitter=0) == 30
    assert RetryPolicy(total=20).delay(1, 0, Outcome(429, retry_after=30)) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (format_datetime(NOW + timedelta(seconds=9), usegmt=True), 9.0),
        (format_datetime(NOW - timedelta(seconds=9), usegmt=True), 0.0),
        ("soon", None),
        ("-3", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    """Both forms of the header are read; anything else is as if it were absent."""
    assert parse_retry_after(value, NOW) == seconds


@pytest.mark.parametrize(
    ("outcome", "is_ambiguous"),
    [
        (Outcome(), True),
        (Outcome(was_sent=False), False),
        (Outcome(429), False),
        (Outcome(503), False),
        (Outcome(502), True),
        (Outcome(500), True),
    ],
)
def test_what_was_surely_not_acted_on_is_told_apart(outcome: Outcome, is_ambiguous: bool) -> None:
    """Only a request that never arrived, or was turned away at the door, is known to have done nothing."""
    assert outcome.is_ambiguous is is_ambiguous


@pytest.mark.parametrize(
    ("error", "repeatable", "attempts"),
    [
        (TransportError("cut"), True, 5),
        (TransportError("cut"), False, 1),
        (TransportError("refused", False), False, 5),
        (_response_error(ServerError, 503), False, 5),
        (_response_error(ServerError, 502), False, 1),
        (_response_error(ServerError, 502), True, 5),
        (_response_error(NotFoundError, 404), True, 1),
        (UsageError("wrong"), True, 1),
    ],
)
def test_a_create_is_never_repeated_after_an_unclear_outcome(error: LakeError, repeatable: bool, attempts: int) -> None:
    """How often a call is attempted that always fails in this way."""
    made = []

    def attempt() -> None:
        made.append(1)
        raise error

    with pytest.raises(type(error)):
        Attempts(AT_ONCE).repeat(attempt, repeatable=repeatable)
    assert len(made) == attempts
