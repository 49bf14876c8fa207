"""What one process of a lake tells the one that works beside the requests."""

import multiprocessing
from uuid import UUID

import pytest

from airflow_provider_lake.server.work.background import RemoteBackground, dispatch

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
    other, notes = RemoteBackground(there), _Notes()
    other.start()
    other.data_added()
    other.job_added()
    other.job_killed(JOB)
    other.stop()
    there.close()

    messages = [here.recv() for _ in range(4)]
    for message in messages:
        dispatch(notes, message)

    assert messages[0] == {"what": "ready"}
    assert notes.told == ["data", "job", JOB]
    with pytest.raises(EOFError):
        here.recv()


def test_who_has_nobody_to_tell_goes_on() -> None:
    """The first process is ending; what it does not hear is in the database."""
    here, there = multiprocessing.Pipe()
    here.close()

    RemoteBackground(there).job_added()
