"""A line in the task's log now and then, by which a wait that has nothing new to say shows that it goes on."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

# Airflow's loggers are no logging.Logger everywhere.
from airflow_provider_lake.tasks.outages import Logger

HEARTBEAT_SECONDS = 600.0


@asynccontextmanager
async def log_heartbeat(log: Logger, describe: Callable[[], str]) -> AsyncIterator[None]:
    """Give signs of life while the block runs.

    :param describe: says how far that is which is waited for, as far as it is known.
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
    """Sleep, and give a sign of life whenever it has been quiet for too long; return since when it has been quiet.

    :param description: how far that is which is waited for, as it was last seen.
    :param last_logged: when something was last said, by :func:`time.monotonic`.
    """
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(max(0.0, min(left, last_logged + HEARTBEAT_SECONDS - time.monotonic())))
        if time.monotonic() >= last_logged + HEARTBEAT_SECONDS:
            log.info("Still waiting: %s", description)
            last_logged = time.monotonic()
    return last_logged
