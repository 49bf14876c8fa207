"""How soon a task may go on after it was deferred or rescheduled.

Below 3.2, Airflow fails a task that has resumed while the process that handed it over is still being cleaned up: it
takes the end of that process for the end of the task. Later versions know better.
"""

import asyncio
import time

from airflow import __version__
from airflow.providers.common.compat.sdk import conf

_FIXED_IN = (3, 2)
_DEFAULT_INTERVAL_SECONDS = 5.0
_MARGIN_SECONDS = 2.0
# No version bears with a sensor that is queued again before the scheduler has heard that the process which rescheduled
# it has ended; that takes a turn or two of its loop.
_RESCHEDULE_SECONDS = 3.0


def handover_seconds() -> float:
    """Return the seconds that a task must not resume in; 0 where it may resume at once."""
    major, minor = __version__.split(".")[:2]
    if (int(major), int(minor)) >= _FIXED_IN:
        return 0.0
    interval = conf.getfloat("workers", "min_heartbeat_interval", fallback=_DEFAULT_INTERVAL_SECONDS)
    return float(interval) + _MARGIN_SECONDS


def reschedule_seconds() -> float:
    """Return the seconds that a sensor must not be rescheduled in."""
    return max(_RESCHEDULE_SECONDS, handover_seconds())


async def await_handover(started: float) -> None:
    """Return once a trigger may fire.

    :param started: when it started to run, by :func:`time.monotonic`.
    """
    await asyncio.sleep(max(0.0, started + handover_seconds() - time.monotonic()))
