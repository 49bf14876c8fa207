"""Deadlines of deferred waits: Airflow does not check ``execution_timeout`` while a task is deferred."""

import time
from datetime import timedelta
from typing import TYPE_CHECKING

try:
    from airflow.sdk.exceptions import TaskDeferralTimeout
except ImportError:  # Airflow 3.0
    from airflow.exceptions import TaskDeferralTimeout  # type: ignore[no-redef]  # another class there

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = ["TaskDeferralTimeout", "backstop", "execution_deadline"]

# How much later than the trigger itself Airflow ends a wait, in case the triggerer is gone.
_BACKSTOP_SECONDS = 60.0


def execution_deadline(context: "Context", execution_timeout: timedelta | None) -> float | None:
    """Return when a try reaches its execution timeout, in seconds since 1970; None: never, or outside a task."""
    instance = context.get("ti")
    if execution_timeout is None or instance is None or instance.start_date is None:
        return None
    return float(instance.start_date.timestamp() + execution_timeout.total_seconds())


def backstop(deadline: float | None) -> timedelta | None:
    """Return after how long Airflow ends a wait, as a fallback for a trigger with this deadline.

    :param deadline: in seconds since 1970; None: there is none.
    """
    return None if deadline is None else timedelta(seconds=max(0.0, deadline - time.time()) + _BACKSTOP_SECONDS)
