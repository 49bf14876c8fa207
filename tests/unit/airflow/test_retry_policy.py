"""What a failed task's retry policy decides."""

import sys
from datetime import timedelta

import pytest

from airflow_provider_lake.client import (
    BadRequestError,
    ForbiddenError,
    LakeError,
    NoDataError,
    RateLimitedError,
    ServerError,
    TransportError,
    UnauthorizedError,
)
from airflow_provider_lake.exceptions import LakeJobError, WaitTimeoutError

policies = pytest.importorskip("airflow.sdk.definitions.retry_policy", reason="Airflow below 3.3 has no retry policies")

from airflow_provider_lake.retry_policy import LakeRetryPolicy  # noqa: E402 - there is none below 3.3

RETRY, FAIL, DEFAULT = policies.RetryAction.RETRY, policies.RetryAction.FAIL, policies.RetryAction.DEFAULT
CALL = ("GET", "http://lake/api/data/1", "words")


@pytest.mark.parametrize(
    ("error", "action", "delay"),
    [
        (RateLimitedError(429, *CALL, None, 7.5), RETRY, timedelta(seconds=7.5)),
        (RateLimitedError(429, *CALL, None, 86_400.0), RETRY, timedelta(hours=1)),
        (RateLimitedError(429, *CALL, None, 1e15), RETRY, timedelta(hours=1)),
        (RateLimitedError(429, *CALL, None, 0.0), RETRY, timedelta(0)),
        (RateLimitedError(429, *CALL), DEFAULT, None),
        (ServerError(503, *CALL, None, 30.0), RETRY, timedelta(seconds=30)),
        (ServerError(500, *CALL), DEFAULT, None),
        (TransportError("silence"), DEFAULT, None),
        (UnauthorizedError(401, *CALL), DEFAULT, None),
        (ForbiddenError(403, *CALL), FAIL, None),
        (BadRequestError(422, *CALL), FAIL, None),
        (NoDataError("nothing"), FAIL, None),
        (LakeJobError("the job failed"), DEFAULT, None),
        (WaitTimeoutError("it goes on"), DEFAULT, None),
        (ValueError("of somebody else"), DEFAULT, None),
    ],
)
def test_what_happened_decides(error: Exception, action: object, delay: timedelta | None) -> None:
    """The lake's own wait is kept, but bounded; what would fail alike fails; the rest is the task's own business."""
    decision = LakeRetryPolicy().evaluate(error, 1, 3)

    assert (decision.action, decision.retry_delay) == (action, delay)


def _raised_from(cause: LakeError) -> RuntimeError:
    error = RuntimeError("the report cannot be made")
    error.__cause__ = cause
    return error


def test_the_cause_of_an_error_counts_too() -> None:
    """A task may raise its own error from the client's."""
    wrapped = LakeRetryPolicy().evaluate(_raised_from(RateLimitedError(429, *CALL, None, 5.0)), 1, 3)
    refused = LakeRetryPolicy().evaluate(_raised_from(ForbiddenError(403, *CALL)), 1, 3)

    assert (wrapped.action, wrapped.retry_delay) == (RETRY, timedelta(seconds=5))
    assert refused.action == FAIL
    assert "403" in str(refused.reason)


def test_errors_that_are_each_others_causes_come_to_an_end() -> None:
    """Whoever makes such a ring gets the task's own retries."""
    one, other = ValueError(), ValueError()
    one.__cause__, other.__cause__ = other, one

    assert LakeRetryPolicy().evaluate(one, 1, 3).action == DEFAULT


def test_an_older_airflow_is_told_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The module can be imported there; making the policy says what it needs."""
    monkeypatch.setattr(sys.modules[LakeRetryPolicy.__module__], "RetryDecision", None)

    with pytest.raises(RuntimeError, match=r"needs Airflow 3\.3"):
        LakeRetryPolicy()


def test_the_longest_wait_is_a_duration() -> None:
    """Seconds or a timedelta; anything else is refused where the DAG is parsed."""
    assert LakeRetryPolicy(60).max_delay == LakeRetryPolicy(timedelta(minutes=1)).max_delay
    with pytest.raises(ValueError, match=r"^max_delay must be seconds"):
        LakeRetryPolicy("1h")  # type: ignore[arg-type]  # the wrong is the point
