"""A worker pool: as many threads as requested, or as many as measured waiting time justifies."""

import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from airflow_provider_lake.client.concurrency.cancellation import (
    cancel_on_error,
    current_cancel_event,
    set_cancel_event,
)

# Over a short way two keep a processor busy; more would wait for each other.
INITIAL_WORKERS = 2
# More requests at a time than this would overload a lake.
MAX_WORKERS = 128
# libcurl and the kernel may use another processor while the next worker runs Python.
_OVERLAP = 2
# The number grows as long as that makes the work at least so many times as fast.
_MIN_SPEEDUP = 1.5
# The smallest sample to decide by: one item of each worker at first.
_MIN_SAMPLE = 2

_T = TypeVar("_T")
_R = TypeVar("_R")


class AdaptiveConcurrency:
    """Adapts the number of workers to measured processor and waiting time.

    Each item costs processor time and waiting time. When the waiting is short, few workers keep a processor busy;
    when it is long, as for a distant lake, more are needed. As many workers as fit into the waiting time of one are
    tried at once; the number is reduced again if the work does not get much faster. Workers share one processor, so
    the time that they wait for each other grows with their number, and never leads to more of them.

    Several pools may share it, one after the other or at the same time.

    :param workers: at the start.
    :param clock: gives seconds.
    """

    def __init__(self, workers: int = INITIAL_WORKERS, clock: Callable[[], float] = time.monotonic) -> None:
        self.workers = workers
        self._clock = clock
        self._lock = threading.Lock()
        self.restart()

    def restart(self) -> None:
        """Start measuring again for new work, with the present number of workers."""
        with self._lock:
            self._previous_rate: float | None = None
            self._previous_workers = self.workers
            self._is_fixed = False
            self._start_sample()

    def record(self, seconds: float, processor_seconds: float) -> None:
        """Record the duration of one item, and adjust the number of workers."""
        with self._lock:
            self._count += 1
            self._seconds += seconds
            self._processor_seconds += processor_seconds
            if not self._is_fixed and self._count >= max(_MIN_SAMPLE, self.workers):
                self._adjust()

    def _adjust(self) -> None:
        rate = self._count / max(self._clock() - self._sample_started, 1e-9)
        busy_with = self._seconds / max(self._processor_seconds, 1e-9)
        if self._previous_rate is not None and rate < _MIN_SPEEDUP * self._previous_rate:
            # As many as this rate needs at the earlier duration of an item, and some in reserve.
            self.workers = min(self.workers, math.ceil(_OVERLAP * self._previous_workers * rate / self._previous_rate))
            self._is_fixed = True
        elif (
            busy_with > (2 * self.workers if self._previous_rate is None else self.workers)
            and self.workers < MAX_WORKERS
        ):
            self._previous_workers = self.workers
            self.workers = min(MAX_WORKERS, math.ceil(_OVERLAP * busy_with))
        else:
            self._is_fixed = True
        self._previous_rate = rate
        self._start_sample()

    def _start_sample(self) -> None:
        self._sample_started = self._clock()
        self._count = 0
        self._seconds = self._processor_seconds = 0.0

    def fix(self, workers: int) -> None:
        """Keep the number of workers at a value."""
        with self._lock:
            self.workers, self._is_fixed = workers, True


class WorkerPool(Generic[_T, _R]):
    """Threads that call a function with each of many items.

    :param work: called with each item.
    :param concurrency: the number of threads; checked after each item: threads are started, or surplus ones end.
    """

    def __init__(
        self, work: Callable[[_T], _R], items: Sequence[_T], concurrency: AdaptiveConcurrency, is_fixed: bool
    ) -> None:
        self._work = work
        self._items = items
        self._concurrency = concurrency
        self._is_fixed = is_fixed
        self._results: dict[int, _R] = {}
        self._errors: list[BaseException] = []
        self._next_index = 0
        self._threads: list[threading.Thread] = []
        self._active = 0
        self._lock = threading.Lock()
        self._stop = current_cancel_event() or threading.Event()

    def run(self) -> list[_R]:
        """Work through all items, and return the results in their order.

        When one fails, items in work are finished and no more are started. When the calling thread is interrupted,
        items in work are cancelled as soon as they wait or transfer.
        """
        try:
            with cancel_on_error(self._stop):
                with self._lock:
                    self._start_threads()
                for thread in self._threads:
                    thread.join()
        finally:
            self._next_index = len(self._items)
            for thread in self._threads:
                thread.join()
        if self._errors:
            raise self._errors[0]
        return [self._results[number] for number in range(len(self._items))]

    def _start_threads(self) -> None:
        wanted = min(self._concurrency.workers, len(self._items))
        while self._active < wanted:
            thread = threading.Thread(target=self._run_thread, name=f"lake-{len(self._threads)}", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                if not self._active:
                    raise
                # The process may have no more threads: the existing ones do the work.
                self._concurrency.fix(self._active)
                return
            self._active += 1
            self._threads.append(thread)

    def _run_thread(self) -> None:
        set_cancel_event(self._stop)
        while True:
            with self._lock:
                if self._active > self._concurrency.workers:
                    self._active -= 1
                    return
                number = self._next_index
                self._next_index += 1
            if number >= len(self._items):
                return
            started, processor_started = time.monotonic(), time.thread_time()
            try:
                self._results[number] = self._work(self._items[number])
            except BaseException as error:  # noqa: BLE001 - raised in the thread that waits for the results
                self._errors.append(error)
                self._next_index = len(self._items)
                return
            if not self._is_fixed:
                self._concurrency.record(time.monotonic() - started, time.thread_time() - processor_started)
                with self._lock:
                    self._start_threads()


def run_all(
    work: Callable[[_T], _R], items: Sequence[_T], max_workers: int | None, concurrency: AdaptiveConcurrency
) -> list[_R]:
    """Call a function with each of many items, and return the results in their order.

    :param max_workers: threads; None: as many as ``concurrency`` decides.
    :param concurrency: measured by earlier work of the kind.
    """
    if max_workers is not None:
        return WorkerPool(work, items, AdaptiveConcurrency(max_workers), is_fixed=True).run()
    concurrency.restart()
    return WorkerPool(work, items, concurrency, is_fixed=False).run()
