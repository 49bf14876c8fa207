"""Many things done by threads: as many as are asked for, or as many as the waiting for a lake is worth."""

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
# Beyond this many at a time a lake would have reason to complain.
MAX_WORKERS = 128
# What libcurl and the kernel do for one worker, another processor may do beside the next worker's Python.
_OVERLAP = 2
# Growth goes on while it makes the work so many times as fast.
_MIN_SPEEDUP = 1.5
# The fewest things to judge by: at first one of each worker.
_MIN_SAMPLE = 2

_T = TypeVar("_T")
_R = TypeVar("_R")


class AdaptiveConcurrency:
    """How many workers are worth having.

    A thing costs processor time and time spent waiting. Few workers fill a processor when the waiting is short; when it
    is long, for a lake far away, more of them do: as many as fill the time that one waits are tried at once, and given
    up again where that does not make it much faster. As the workers share one processor, time that one waits for the
    others grows with them, and so never asks for more.

    May be used by several crews, one after the other or at a time.

    :param workers: at the beginning.
    :param clock: gives seconds.
    """

    def __init__(self, workers: int = INITIAL_WORKERS, clock: Callable[[], float] = time.monotonic) -> None:
        self.workers = workers
        self._clock = clock
        self._lock = threading.Lock()
        self.restart()

    def restart(self) -> None:
        """Look at it afresh: new work begins, with as many workers as there were."""
        with self._lock:
            self._previous_rate: float | None = None
            self._previous_workers = self.workers
            self._is_fixed = False
            self._start_sample()

    def record(self, seconds: float, processor_seconds: float) -> None:
        """Take in what one thing took, and decide whether more workers are worth it."""
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
            # As many as keep up this rate by the time that a thing took before, and some in reserve.
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
        """Stay with a number of workers."""
        with self._lock:
            self.workers, self._is_fixed = workers, True


class WorkerPool(Generic[_T, _R]):
    """Threads that do something with each of many things.

    :param work: done with each.
    :param concurrency: how many threads at a time; looked at while they work: more are hired, or those too many leave.
    """

    def __init__(
        self, work: Callable[[_T], _R], things: Sequence[_T], concurrency: AdaptiveConcurrency, is_fixed: bool
    ) -> None:
        self._work = work
        self._things = things
        self._pace = concurrency
        self._is_fixed = is_fixed
        self._results: dict[int, _R] = {}
        self._errors: list[BaseException] = []
        self._next_index = 0
        self._threads: list[threading.Thread] = []
        self._active = 0
        self._lock = threading.Lock()
        self._stop = current_cancel_event() or threading.Event()

    def run(self) -> list[_R]:
        """Do it all, and return the results in the order of the things.

        When one fails, those that were begun are finished and no more are begun; when whoever waits is interrupted,
        those are given up as soon as they wait or transfer.
        """
        try:
            with cancel_on_error(self._stop):
                with self._lock:
                    self._start_threads()
                for thread in self._threads:
                    thread.join()
        finally:
            self._next_index = len(self._things)
            for thread in self._threads:
                thread.join()
        if self._errors:
            raise self._errors[0]
        return [self._results[number] for number in range(len(self._things))]

    def _start_threads(self) -> None:
        wanted = min(self._pace.workers, len(self._things))
        while self._active < wanted:
            thread = threading.Thread(target=self._run_thread, name=f"lake-{len(self._threads)}", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                if not self._active:
                    raise
                # The process has as many threads as it may: those that there are do the work.
                self._pace.fix(self._active)
                return
            self._active += 1
            self._threads.append(thread)

    def _run_thread(self) -> None:
        set_cancel_event(self._stop)
        while True:
            with self._lock:
                if self._active > self._pace.workers:
                    self._active -= 1
                    return
                number = self._next_index
                self._next_index += 1
            if number >= len(self._things):
                return
            started, processor_started = time.monotonic(), time.thread_time()
            try:
                self._results[number] = self._work(self._things[number])
            except BaseException as error:  # noqa: BLE001 - raised where the results are waited for
                self._errors.append(error)
                self._next_index = len(self._things)
                return
            if not self._is_fixed:
                self._pace.record(time.monotonic() - started, time.thread_time() - processor_started)
                with self._lock:
                    self._start_threads()


def run_all(
    work: Callable[[_T], _R], things: Sequence[_T], max_workers: int | None, concurrency: AdaptiveConcurrency
) -> list[_R]:
    """Do something with each of many things, and return the results in their order.

    :param max_workers: threads; None: as many as the pace says.
    :param concurrency: what is known from earlier work of the kind.
    """
    if max_workers is not None:
        return WorkerPool(work, things, AdaptiveConcurrency(max_workers), is_fixed=True).run()
    concurrency.restart()
    return WorkerPool(work, things, concurrency, is_fixed=False).run()
