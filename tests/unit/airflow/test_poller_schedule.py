"""When a poller looks at which job, and what it hands on; on a clock of the test's own."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest

from airflow_provider_lake.client import (
    ForbiddenError,
    LakeError,
    NotFoundError,
    RateLimitedError,
    ServerError,
    TransportError,
    UnauthorizedError,
)
from airflow_provider_lake.client.transport.base import Response
from airflow_provider_lake.tasks.jobs import next_interval
from airflow_provider_lake.triggers.polling.schedule import JobUpdate, OutageStarted, Schedule, Update, Wait

RUNNING = Response(200, {}, b'{"id": "a", "status": "RUNNING", "progress": {"total": 9, "done": 3}}')
DONE = Response(200, {}, b'{"id": "a", "status": "SUCCEEDED"}')
BUSY = Response(503, {}, b"")
LOST = TransportError("connection refused", False)


class Clock:
    """Drives a schedule: moves on to whatever is due, and answers."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.schedule = Schedule()
        self.looks: list[tuple[float, str]] = []

    def add(self, *job_ids: str, poll_interval: float = 10.0, outage_budget: float = 600.0, age: float = 0.0) -> Wait:
        """Wait for jobs.

        :param age: seconds that the wait began ago, in another process.
        """
        wait = Wait(job_ids, poll_interval, outage_budget, self.now - age, self.now)
        self.schedule.add(wait, self.now)
        return wait

    def run(self, seconds: float, response: Response | LakeError = RUNNING) -> list[tuple[Wait, Update]]:
        """Let time pass, and give each look the same answer; return what was handed on."""
        end = self.now + seconds
        while (due := self.schedule.next_due()) is not None and due <= end:
            self.now = max(self.now, due)
            while (job := self.schedule.pop_due(self.now)) is not None:
                self.looks.append((self.now, job.id))
                self.schedule.record_result(job, response, self.now)
        self.now = end
        handed, self.schedule.outbox = self.schedule.outbox, []
        return handed

    def gaps(self, job_id: str = "a") -> list[float]:
        """Return the seconds between the looks at a job."""
        times = [moment for moment, each in self.looks if each == job_id]
        return [after - before for before, after in pairwise(times)]


def _told(handed: Sequence[tuple[Wait, Update]], wait: Wait) -> list[str]:
    return [
        str(news.status) if isinstance(news, JobUpdate) else type(news).__name__ for who, news in handed if who is wait
    ]


def test_a_young_job_is_looked_at_often_and_an_old_one_at_its_interval() -> None:
    """A second apart at first, then a tenth of its age, then `poll_interval`; less a little, at random."""
    clock = Clock()
    clock.add("a")
    clock.run(300)

    gaps = clock.gaps()
    assert all(0.9 <= gap <= 1.0 for gap in gaps[:5])
    assert all(9.0 <= gap <= 10.0 for gap in gaps[-5:])
    assert max(gaps) <= 10.0


def test_the_first_looks_after_a_restart_are_spread_out() -> None:
    """Waits that began long ago do not all ask at once: their first looks fill a whole interval."""
    clock = Clock()
    for number in range(1000):
        clock.add(f"job-{number}", age=3600.0)
    start = clock.now
    clock.run(10)

    per_second = [sum(1 for moment, _ in clock.looks if second <= moment - start < second + 1) for second in range(9)]
    assert min(per_second) > 50
    assert max(per_second) < 200


def test_waits_for_the_same_job_share_its_looks() -> None:
    """Both hear of it; who comes later hears at once what is known; the shorter interval counts."""
    clock = Clock()
    first = clock.add("a", age=3600.0)
    handed = clock.run(20)
    looks = len(clock.looks)
    second = clock.add("a", poll_interval=5.0, age=3600.0)

    assert _told(handed, first) == ["RUNNING"]
    assert _told(clock.run(0), second) == ["RUNNING"]
    clock.run(50)
    assert 9 <= len(clock.looks) - looks <= 13
    handed = clock.run(10, DONE)
    assert (_told(handed, first), _told(handed, second)) == (["SUCCEEDED"], ["SUCCEEDED"])
    assert clock.schedule.next_due() is None


def test_only_what_is_new_is_handed_on() -> None:
    """The same state again, even in other words, is not; more progress is."""
    clock = Clock()
    wait = clock.add("a")
    clock.run(60)
    again = Response(200, {}, json.dumps(json.loads(RUNNING.body) | {"signed_url": "another"}).encode())
    more = Response(200, {}, b'{"id": "a", "status": "RUNNING", "progress": {"total": 9, "done": 4}}')

    assert clock.run(60, again) == []
    [(who, news)] = clock.run(60, more)
    assert who is wait
    assert isinstance(news, JobUpdate)
    assert news.progress == {"total": 9, "done": 4}


def test_a_lake_that_does_not_answer_is_asked_less_and_less() -> None:
    """The pauses grow and are never shorter than the interval; that it is silent is told once; then all is well."""
    clock = Clock()
    wait = clock.add("a", poll_interval=2.0)
    clock.run(1.5)
    clock.looks.clear()
    handed = clock.run(300, LOST)
    gaps = clock.gaps()

    assert _told(handed, wait) == ["OutageStarted"]
    assert all(gap >= 1.0 for gap in gaps)
    assert sum(gaps[-3:]) > sum(gaps[:3])
    assert max(gaps) <= 60.0
    assert len(gaps) < 30
    assert _told(clock.run(60, DONE), wait) == ["SUCCEEDED"]


@pytest.mark.parametrize("form", ["seconds", "date"])
@pytest.mark.parametrize("status", [429, 503])
def test_the_pause_that_a_lake_asks_for_is_kept_by_all(status: int, form: str) -> None:
    """One answer with Retry-After, and nobody asks before it is over."""
    clock = Clock()
    clock.add("a")
    clock.run(1.5)
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    refused = Response(status, {"Retry-After": "90" if form == "seconds" else later}, b"")
    began = clock.now
    clock.run(2.5, refused)
    clock.add("b", age=3600.0)
    clock.looks.clear()
    clock.run(300)

    assert min(moment for moment, _ in clock.looks) - began >= 88.0
    assert {job_id for _, job_id in clock.looks} == {"a", "b"}


def test_each_wait_gives_up_when_its_own_budget_is_spent() -> None:
    """With the error that the lake gave; the other waits go on, though the lake asks for a longer pause."""
    clock = Clock()
    short, long = clock.add("a", outage_budget=30.0), clock.add("a", outage_budget=600.0)
    clock.run(1.5)
    handed = clock.run(25, Response(429, {"Retry-After": "3000"}, b""))
    assert _told(handed, short) == ["OutageStarted"]
    handed = clock.run(10)

    [(who, error)] = handed
    assert who is short
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 3000.0
    assert _told(clock.run(600), long) == ["RateLimitedError"]
    assert clock.schedule.next_due() is None


def test_a_lake_that_answers_again_gives_back_the_whole_budget() -> None:
    """Only silence without a break counts."""
    clock = Clock()
    wait = clock.add("a", outage_budget=30.0)
    clock.run(1.5)
    for _ in range(5):
        assert _told(clock.run(25, BUSY), wait) == ["OutageStarted"]
        assert _told(clock.run(40), wait) in (["RUNNING"], [])


@pytest.mark.parametrize("silence", [32.0, 36.0, 39.5])
def test_each_wait_gets_a_last_look_when_its_budget_ends(silence: float) -> None:
    """Also where the interval is longer than what is left of it; the look before that does not decide alone."""
    for number in range(200):
        clock = Clock()
        clock.now += number / 7
        wait = clock.add("a", outage_budget=40.0, age=3600.0)
        clock.run(11)
        clock.looks.clear()
        clock.run(11, BUSY)
        first_silent = clock.looks[0][0]
        clock.run(first_silent + silence - clock.now, BUSY)
        clock.looks.clear()

        assert _told(clock.run(first_silent + 40.001 - clock.now), wait) in (["RUNNING"], [])
        assert clock.looks


@pytest.mark.parametrize(("status", "error"), [(401, UnauthorizedError), (403, ForbiddenError)])
def test_a_refusal_ends_a_wait_at_once(status: int, error: type[LakeError]) -> None:
    """It would be the same later; nothing more is asked."""
    clock = Clock()
    clock.add("a")
    [(_, told)] = clock.run(60, Response(status, {}, b'{"message": "no"}'))

    assert isinstance(told, error)
    assert len(clock.looks) == 1


def test_an_unknown_job_is_given_a_few_seconds() -> None:
    """It may have been started a moment ago; an older wait has had that time."""
    clock = Clock()
    known_soon = clock.add("a")
    assert clock.run(3, Response(404, {}, b"")) == []
    assert _told(clock.run(5), known_soon) == ["RUNNING"]
    unknown = clock.add("b")
    handed = [(wait, news) for wait, news in clock.run(20, Response(404, {}, b"")) if wait is unknown]

    assert [type(news) for _, news in handed] == [NotFoundError]


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b'{"no": "status"}'])
def test_what_is_no_job_counts_as_no_answer(body: bytes) -> None:
    """A proxy's page with status 200 neither ends the wait nor the poller."""
    clock = Clock()
    wait = clock.add("a")

    assert _told(clock.run(1.5, Response(200, {}, body)), wait) == ["OutageStarted"]
    assert _told(clock.run(60, DONE), wait) == ["SUCCEEDED"]


def test_nobody_asks_for_a_job_that_nobody_waits_for() -> None:
    """Also where its answer is still under way."""
    clock = Clock()
    wait = clock.add("a", "b")
    clock.now += 1.0
    under_way = clock.schedule.pop_due(clock.now)
    assert under_way is not None
    clock.schedule.remove(wait)
    clock.schedule.record_result(under_way, RUNNING, clock.now)

    assert clock.run(60) == []
    assert clock.looks == []


def test_an_error_that_is_none_of_these_ends_the_wait() -> None:
    """Nothing is waited for for ever because it was not thought of."""
    clock = Clock()
    clock.add("a")
    [(_, told)] = clock.run(60, Response(418, {}, b""))

    assert isinstance(told, LakeError)
    assert not isinstance(told, ServerError | OutageStarted)


@pytest.mark.parametrize("poll_interval", [0, -1, 0.001])
def test_there_is_always_a_pause_between_two_looks(poll_interval: float) -> None:
    """Whatever interval was asked for."""
    assert next_interval(0.0, poll_interval) >= 0.05
