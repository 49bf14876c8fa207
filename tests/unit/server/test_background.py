"""What one process of a lake tells the one that works beside the requests."""

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from airflow_provider_lake.server.work.background import OtherBackground, pass_on

ROUNDS = 300
JOB = UUID("11111111-2222-4333-8444-555555555555")


class _Notes:
    """A background that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def start(self) -> None:
        self.told.append("start")

    def stop(self) -> None:
        self.told.append("stop")

    def data_added(self) -> None:
        self.told.append("data")

    def job_added(self) -> None:
        self.told.append("job")

    def job_killed(self, job_id: UUID) -> None:
        self.told.append(job_id)


def test_what_is_told_in_one_process_is_told_in_the_other() -> None:
    """New data, new jobs and killed jobs; that a process is ready or ends changes nothing for the work."""
    here, there = multiprocessing.Pipe()
    other, notes = OtherBackground(there), _Notes()
    other.start()
    other.data_added()
    other.job_added()
    other.job_killed(JOB)
    other.stop()
    there.close()

    messages = [here.recv() for _ in range(4)]
    for message in messages:
        pass_on(notes, message)

    assert messages[0] == {"what": "ready"}
    assert notes.told == ["data", "job", JOB]
    with pytest.raises(EOFError):
        here.recv()


def test_threads_do_not_mix_up_what_they_tell() -> None:
    """Requests are answered by many threads, over one pipe."""
    here, there = multiprocessing.Pipe()
    other, notes = OtherBackground(there), _Notes()
    with ThreadPoolExecutor(8) as pool:
        for _ in range(ROUNDS):
            pool.submit(other.data_added)
            pool.submit(other.job_killed, JOB)
        for _ in range(2 * ROUNDS):
            pass_on(notes, here.recv())

    assert sorted(map(str, notes.told)) == [str(JOB)] * ROUNDS + ["data"] * ROUNDS


def test_who_has_nobody_to_tell_goes_on() -> None:
    """The first process is ending; what it does not hear is in the database."""
    here, there = multiprocessing.Pipe()
    here.close()

    OtherBackground(there).job_added()
