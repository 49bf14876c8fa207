"""Many things done by threads."""

import threading

import pytest

from airflow_provider_lake.client.concurrency.cancellation import cancellable_executor, current_cancel_event, pause
from airflow_provider_lake.client.concurrency.worker_pool import (
    INITIAL_WORKERS,
    MAX_WORKERS,
    AdaptiveConcurrency,
    run_all,
)
from airflow_provider_lake.client.transfers.storage import _borrowed


def _settle(way_seconds: float, bandwidth: float = float("inf")) -> int:
    """Return the number of workers that a pace ends with, for things of 1 ms of work and a long or short way.

    :param bandwidth: things per second beyond which more workers only wait for each other.
    """
    now = 0.0
    concurrency = AdaptiveConcurrency(clock=lambda: now)
    for _ in range(1000):
        alone = 0.001 + way_seconds
        rate = min(concurrency.workers / alone, 1000, bandwidth)
        now += 1 / rate
        concurrency.record(concurrency.workers / rate, 0.001)
    return concurrency.workers


@pytest.mark.parametrize(
    ("way_seconds", "bandwidth", "workers"),
    [
        pytest.param(0.0, float("inf"), INITIAL_WORKERS, id="near: the processor is busy with two"),
        pytest.param(0.03, float("inf"), 62, id="far: as many as fill the time that two of them wait"),
        pytest.param(0.5, float("inf"), MAX_WORKERS, id="very far: no more than a lake can be expected to bear"),
        pytest.param(0.08, 30, 5, id="a narrow line: those that do not make it faster are given up again"),
    ],
)
def test_the_way_decides_how_many_work(way_seconds: float, bandwidth: float, workers: int) -> None:
    """More are hired as long as that makes the work much faster, and not when it does not."""
    assert _settle(way_seconds, bandwidth) == workers


def test_results_come_in_the_order_of_the_things() -> None:
    """Whatever is done first; a thing that takes until the last is done holds up no other."""
    last = threading.Event()

    def work(number: int) -> int:
        if number == 99:
            last.set()
        elif number == 0:
            assert last.wait(60)
        return number

    assert run_all(work, range(100), None, AdaptiveConcurrency()) == list(range(100))
    assert run_all(work, range(100), 2, AdaptiveConcurrency()) == list(range(100))
    assert run_all(work, [], None, AdaptiveConcurrency()) == []


class _Shrinking(AdaptiveConcurrency):
    """Has no more than one worker as soon as one thing is done."""

    def record(self, seconds: float, processor_seconds: float) -> None:
        """Take in what one thing took."""
        del seconds, processor_seconds
        self.workers = 1


def test_workers_too_many_leave() -> None:
    """They finish what they do; whoever is left does the rest."""
    together = threading.Barrier(4)
    at_work = {}

    def work(number: int) -> None:
        at_work[number] = threading.current_thread()
        if number < 4:
            together.wait(60)
        elif number == 4:
            # Whoever does not leave does what is left meanwhile.
            for other in {at_work[each] for each in range(4)} - {at_work[4]}:
                other.join(60)

    run_all(work, range(30), None, _Shrinking(4))
    assert len({at_work[number] for number in range(4)}) == 4
    assert len({at_work[number] for number in range(4, 30)}) == 1


@pytest.mark.parametrize("max_workers", [None, 8])
def test_where_no_more_threads_can_be_had_fewer_do_the_work(
    max_workers: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container that bounds its processes; where not even one can be had, that is the error."""
    start, left = threading.Thread.start, [1]

    def start_one(thread: threading.Thread) -> None:
        if not left:
            raise RuntimeError("can't start new thread")
        left.pop()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_one)

    assert run_all(str, range(100), max_workers, AdaptiveConcurrency()) == [str(number) for number in range(100)]
    with pytest.raises(RuntimeError, match="can't start"):
        run_all(str, range(100), max_workers, AdaptiveConcurrency())


def test_a_number_of_workers_is_kept() -> None:
    """Who says how many has as many, at the same time, whatever the things take."""
    together = threading.Barrier(3)
    names = set()

    def work(_number: int) -> None:
        together.wait(60)
        names.add(threading.current_thread().name)

    run_all(work, range(30), 3, AdaptiveConcurrency())
    assert len(names) == 3


@pytest.mark.parametrize("failure", [ValueError("broken"), KeyboardInterrupt()])
def test_a_failure_ends_the_work(failure: BaseException) -> None:
    """It comes out as it was raised, and nothing more is begun."""
    done: list[int] = []

    def work(number: int) -> None:
        done.append(number)
        if number == 3:
            raise failure

    with pytest.raises(type(failure)):
        run_all(work, range(100), 1, AdaptiveConcurrency())
    assert done == [0, 1, 2, 3]


def test_what_fails_within_one_piece_of_work_stops_no_other() -> None:
    """Threads of a thread are told to stop with it, but their failure is its own."""

    def work(number: int) -> int:
        if number == 0:
            with pytest.raises(ValueError, match="inner"), cancellable_executor(1, "inner"):
                raise ValueError("inner")
        pause(0)
        return number

    assert run_all(work, range(4), 1, AdaptiveConcurrency()) == [0, 1, 2, 3]


def test_an_interrupted_wait_begins_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends the work with what is under way."""
    done: list[int] = []
    has_begun, join = threading.Event(), threading.Thread.join

    def work(number: int) -> None:
        done.append(number)
        has_begun.set()
        stop = current_cancel_event()
        assert stop is not None
        assert stop.wait(60)

    def interrupt(_thread: threading.Thread) -> None:
        assert has_begun.wait(60)
        # Whoever waits longer, waits to the end.
        monkeypatch.setattr(threading.Thread, "join", join)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "join", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_all(work, range(100), 1, AdaptiveConcurrency())
    assert done == [0]


def test_threads_that_were_lent_are_given_back() -> None:
    """The next large file has as many."""
    threads = threading.Semaphore(3)
    for wanted in (2, 5, 0, 3):
        with _borrowed(threads, wanted) as count:
            assert count == min(3, wanted)
