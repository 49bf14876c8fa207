"""How threads that work for another one are told that nobody wants their work any more.

Whoever waits for them may be interrupted, by a signal or a timeout of Airflow's, and is to end within a moment. So a
thread that sleeps or transfers looks at what it was given by :func:`work_for`.
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

_here = threading.local()


class Stopped(BaseException):
    """The work of this thread is not wanted any more; no error of one thing that others would go on after."""


def stop_of_thread() -> threading.Event | None:
    """Return what tells this thread to stop; None: it works for itself."""
    found: threading.Event | None = getattr(_here, "stop", None)
    return found


def is_stopped() -> bool:
    """Whether this thread was told to stop."""
    stop = stop_of_thread()
    return stop is not None and stop.is_set()


def pause(seconds: float) -> None:
    """Sleep.

    :raises Stopped: this thread is told to stop.
    """
    stop = stop_of_thread()
    if stop is None:
        time.sleep(seconds)
    elif stop.wait(seconds):
        raise Stopped


def work_for(stop: threading.Event) -> None:
    """Let this thread stop when it is told to by this, from now on."""
    _here.stop = stop


@contextmanager
def stopping(stop: threading.Event) -> Iterator[None]:
    """Tell threads to stop if the block, which waits for them, is interrupted or fails.

    What this thread works for itself others work for, too: that is for whoever waits for all of them to end.
    """
    try:
        yield
    except BaseException:
        if stop is not stop_of_thread():
            stop.set()
        raise


@contextmanager
def worker_pool(workers: int, name: str) -> Iterator[ThreadPoolExecutor]:
    """Run a pool of threads; a block that is interrupted or fails ends what they do, and begins no more of it.

    :param workers: how many threads.
    :param name: what their names begin with.
    """
    stop = stop_of_thread() or threading.Event()
    pool = ThreadPoolExecutor(workers, name, initializer=work_for, initargs=(stop,))
    try:
        with stopping(stop):
            yield pool
    except BaseException:
        pool.shutdown(cancel_futures=True)
        raise
    pool.shutdown()
