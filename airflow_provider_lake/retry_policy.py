"""When Airflow should run a failed task again: :class:`LakeRetryPolicy` (Airflow 3.3)."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

try:
    from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy
except ImportError:  # Airflow below 3.3: this module can be imported, the policy cannot be made
    RetryDecision, RetryPolicy = None, object  # type: ignore[misc, assignment]

from airflow_provider_lake.arguments import read_seconds
from airflow_provider_lake.exceptions import permanent_classes

if TYPE_CHECKING:
    from airflow.sdk import Context

MAX_DELAY = timedelta(hours=1)


class LakeRetryPolicy(RetryPolicy):
    """Let what happened decide whether and when a task that works with a lake is tried again.

    - The lake said how long to wait (429 or 503 with ``Retry-After``), here or in the triggerer: retry after that time.
    - It refused, and would refuse again (403, 422, an unknown name, an empty selection): fail at once. The
      operators fail at once by themselves; this is for tasks that call the client, as ``@task`` functions do.
    - Anything else, such as a job that failed or a lake that does not answer: as the task's own ``retries`` and
      ``retry_delay`` say.

    Give it to a task as ``retry_policy=LakeRetryPolicy()``, beside ``retries``, which it cannot exceed.

    :param max_delay: the longest time to wait, seconds or a ``timedelta``, whatever the lake asks for.
    :raises RuntimeError: this is an Airflow below 3.3, whose tasks take no retry policy.
    """

    def __init__(self, max_delay: timedelta | float = MAX_DELAY) -> None:
        if RetryDecision is None:
            raise RuntimeError("LakeRetryPolicy needs Airflow 3.3 or newer: below it, tasks take no retry_policy")
        self.max_delay = timedelta(seconds=read_seconds("max_delay", max_delay))

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: "Context | None" = None
    ) -> RetryDecision:
        """Decide about one failure by the first of its causes that tells."""
        permanent = permanent_classes()
        for error in _causes(exception):
            seconds = getattr(error, "retry_after", None)
            if seconds is not None:
                delay = timedelta(seconds=min(seconds, self.max_delay.total_seconds()))
                return RetryDecision.retry(delay, f"the lake asked to wait {seconds:g} s")
            if isinstance(error, permanent):
                return RetryDecision.fail(f"a retry would fail alike: {error}")
        return RetryDecision.default()


def _causes(exception: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what it was explicitly raised from."""
    seen: set[int] = set()
    error: BaseException | None = exception
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__
