"""How threads that work for another one are told that nobody wants their work any more.

Whoever waits for them may be interrupted, by a signal or a timeout of Airflow's, and is to end within a moment. So a
thread that sleeps or transfers looks at what it was given by :func:`set_cancel_event`.
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

_thread_state = threading.local()


class Cancelled(BaseException):
    """The work of this thread is not wanted any more; no error of one thing that others would go on after."""


def current_cancel_event() -> threading.Event | None:
    """Return what tells this thread to stop; None: it works for itself."""
    found: threading.Event | None = getattr(_thread_state, "stop", None)
    return found


def is_cancelled() -> bool:
    """Whether this thread was told to stop."""
    stop = current_cancel_event()
    return stop is not None and stop.is_set()


def pause(seconds: float) -> None:
    """Sleep.

    :raises Stopped: this thread is told to stop.
    """
    stop = current_cancel_event()
    if stop is None:
        time.sleep(seconds)
    elif stop.wait(seconds):
        raise Cancelled


def set_cancel_event(stop: threading.Event) -> None:
    """Let this thread stop when it is told to by this, from now on."""
    _thread_state.stop = stop


@contextmanager
def cancel_on_error(stop: threading.Event) -> Iterator[None]:
    """Tell threads to stop if the block, which waits for them, is interrupted or fails.

    What this thread works for itself others work for, too: that is for whoever waits for all of them to end.
    """
    try:
        yield
    except BaseException:
        if stop is not current_cancel_event():
            stop.set()
        raise


@contextmanager
def cancellable_executor(workers: int, name: str) -> Iterator[ThreadPoolExecutor]:
    """Run a pool of threads; a block that is interrupted or fails ends what they do, and begins no more of it.

    :param workers: how many threads.
    :param name: what their names begin with.
    """
    stop = current_cancel_event() or threading.Event()
    pool = ThreadPoolExecutor(workers, name, initializer=set_cancel_event, initargs=(stop,))
    try:
        with cancel_on_error(stop):
            yield pool
    except BaseException:
        pool.shutdown(cancel_futures=True)
        raise
    pool.shutdown()
