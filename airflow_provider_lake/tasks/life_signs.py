"""A line in the task's log now and then, by which a wait that has nothing new to say shows that it goes on."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

# Airflow's loggers are no logging.Logger everywhere.
from airflow_provider_lake.tasks.jobs import Logger

LIFE_SIGN_SECONDS = 600.0


@asynccontextmanager
async def life_signs(log: Logger, describe: Callable[[], str]) -> AsyncIterator[None]:
    """Give signs of life while the block runs.

    :param describe: says how far that is which is waited for, as far as it is known.
    """

    async def go_on() -> None:
        while True:
            await asyncio.sleep(LIFE_SIGN_SECONDS)
            log.info("Still waiting: %s", describe())

    giving = asyncio.create_task(go_on())
    try:
        yield
    finally:
        giving.cancel()


def sleep_alive(seconds: float, log: Logger, last: str, quiet_since: float) -> float:
    """Sleep, and give a sign of life whenever it has been quiet for too long; return since when it has been quiet.

    :param last: how far that is which is waited for, as it was last seen.
    :param quiet_since: when something was last said, by :func:`time.monotonic`.
    """
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(max(0.0, min(left, quiet_since + LIFE_SIGN_SECONDS - time.monotonic())))
        if time.monotonic() >= quiet_since + LIFE_SIGN_SECONDS:
            log.info("Still waiting: %s", last)
            quiet_since = time.monotonic()
    return quiet_since
