"""A periodic line in the task's log, which shows that a wait without news is still running."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

# Airflow's loggers are not instances of logging.Logger in every version.
from airflow_provider_lake.tasks.outages import Logger

HEARTBEAT_SECONDS = 600.0


@asynccontextmanager
async def log_heartbeat(log: Logger, describe: Callable[[], str]) -> AsyncIterator[None]:
    """Log a line from time to time while the block runs.

    :param describe: returns the last known progress of the wait.
    """

    async def log_periodically() -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            log.info("Still waiting: %s", describe())

    heartbeat = asyncio.create_task(log_periodically())
    try:
        yield
    finally:
        heartbeat.cancel()


def sleep_with_heartbeat(seconds: float, log: Logger, description: str, last_logged: float) -> float:
    """Sleep, and log a line whenever the last one is too long ago; return the time of the last line.

    :param description: the last known progress of the wait.
    :param last_logged: time of the last log line, by :func:`time.monotonic`.
    """
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(max(0.0, min(left, last_logged + HEARTBEAT_SECONDS - time.monotonic())))
        if time.monotonic() >= last_logged + HEARTBEAT_SECONDS:
            log.info("Still waiting: %s", description)
            last_logged = time.monotonic()
    return last_logged
