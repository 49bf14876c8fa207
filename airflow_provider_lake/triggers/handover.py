"""How soon a task may resume after it was deferred or rescheduled.

Airflow below 3.2 fails a task that resumes while the process that deferred it is still being cleaned up: it mistakes
the end of that process for the end of the task. Airflow 3.2 fixed this.
"""

import asyncio
import time

from airflow import __version__
from airflow.providers.common.compat.sdk import conf

_FIXED_IN = (3, 2)
_DEFAULT_INTERVAL_SECONDS = 5.0
_MARGIN_SECONDS = 2.0
# In every version, a sensor fails if it is queued again before the scheduler has registered the end of the process that
# rescheduled it; that takes one or two iterations of the scheduler loop.
_RESCHEDULE_SECONDS = 3.0


def handover_seconds() -> float:
    """Return the seconds before which a task must not resume; 0 if it may resume at once."""
    major, minor = __version__.split(".")[:2]
    if (int(major), int(minor)) >= _FIXED_IN:
        return 0.0
    interval = conf.getfloat("workers", "min_heartbeat_interval", fallback=_DEFAULT_INTERVAL_SECONDS)
    return float(interval) + _MARGIN_SECONDS


def reschedule_seconds() -> float:
    """Return the seconds before which a rescheduled sensor must not run again."""
    return max(_RESCHEDULE_SECONDS, handover_seconds())


async def await_handover(started: float) -> None:
    """Wait until a trigger may fire.

    :param started: when the trigger started to run, by :func:`time.monotonic`.
    """
    await asyncio.sleep(max(0.0, started + handover_seconds() - time.monotonic()))
