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
    """Decides by the error whether and when Airflow retries a task that uses a lake.

    - The lake sent ``Retry-After`` (with 429 or 503), to the worker or the triggerer: retry after that time.
    - The lake refused the request, and would refuse it again (403, 422, an unknown name, an empty selection): fail at
      once. Operators do so by themselves; this rule is for tasks that call the client, as ``@task`` functions do.
    - Any other error, such as a failed job or an outage: follow the task's own ``retries`` and ``retry_delay``.

    Pass it to a task as ``retry_policy=LakeRetryPolicy()``, together with ``retries``, which still limits the retries.

    :param max_delay: the longest delay, seconds or a ``timedelta``, even if ``Retry-After`` is longer.
    :raises RuntimeError: Airflow is below 3.3, where tasks have no retry policy.
    """

    def __init__(self, max_delay: timedelta | float = MAX_DELAY) -> None:
        if RetryDecision is None:
            raise RuntimeError("LakeRetryPolicy needs Airflow 3.3 or newer: below it, tasks take no retry_policy")
        self.max_delay = timedelta(seconds=read_seconds("max_delay", max_delay))

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: "Context | None" = None
    ) -> RetryDecision:
        """Decide about a failure by the first exception in its chain of causes to which a rule applies."""
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
    """Yield an exception and its explicit causes (``raise ... from``)."""
    seen: set[int] = set()
    error: BaseException | None = exception
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__
