"""Cancellation of threads that work for another thread.

The thread that waits for them may be interrupted, by a signal or one of Airflow's timeouts, and must then end at once.
Threads that sleep or transfer therefore check the event that :func:`set_cancel_event` has set for them.
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

_thread_state = threading.local()


class Cancelled(BaseException):
    """The work of this thread was cancelled; no handler of errors of single items catches it."""


def current_cancel_event() -> threading.Event | None:
    """Return the event that cancels this thread's work; None: it works for no other thread."""
    found: threading.Event | None = getattr(_thread_state, "stop", None)
    return found


def is_cancelled() -> bool:
    """Whether the work of this thread was cancelled."""
    stop = current_cancel_event()
    return stop is not None and stop.is_set()


def pause(seconds: float) -> None:
    """Sleep.

    :raises Cancelled: this thread is told to stop.
    """
    stop = current_cancel_event()
    if stop is None:
        time.sleep(seconds)
    elif stop.wait(seconds):
        raise Cancelled


def set_cancel_event(stop: threading.Event) -> None:
    """Let an event cancel the work of this thread from now on."""
    _thread_state.stop = stop


@contextmanager
def cancel_on_error(stop: threading.Event) -> Iterator[None]:
    """Cancel threads if the block, which waits for them, is interrupted or fails.

    An event that this thread obeys itself is left alone: the thread that waits for all of them sets it.
    """
    try:
        yield
    except BaseException:
        if stop is not current_cancel_event():
            stop.set()
        raise


@contextmanager
def cancellable_executor(workers: int, name: str) -> Iterator[ThreadPoolExecutor]:
    """Run a pool of threads; when the block is interrupted or fails, running work is cancelled and no more is started.

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
