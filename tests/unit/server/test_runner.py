"""Jobs on a machine at its limits."""

import errno
from collections.abc import Iterator
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from airflow_provider_lake.server.bootstrap import open_lake
from airflow_provider_lake.server.context import Lake
from airflow_provider_lake.server.settings import Settings
from airflow_provider_lake.server.store.queries import jobs
from airflow_provider_lake.server.store.states import JobKind, JobStatus
from airflow_provider_lake.server.store.tables import Data, Datalake, Job
from airflow_provider_lake.server.work.jobs import imports, runner
from tests.videos import make_video
from tests.wire.job_calls import wait_for

NAMES = [f"camera/{number:04}.mp4" for number in range(1200)]


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    """Open a lake with objects in its bucket."""
    video = make_video(frames=1, size=(16, 16))
    with open_lake(Settings(tmp_path / "lake")) as lake:
        for name in NAMES:
            lake.stores.root.put(name, video, "video/mp4")
        yield lake


class _FullDisk(SpooledTemporaryFile[bytes]):
    """A file on a disk that is full at first, and again in the middle."""

    answers: Iterator[bool]

    def write(self, content: Any, /) -> int:
        """Write, or refuse as the operating system does."""
        if next(self.answers, False):
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(content)


def test_an_import_waits_while_the_disk_has_no_room_for_its_list(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not failed by it: once there is room, every object becomes a data, and once."""
    refusals = iter([True, False, True])
    monkeypatch.setattr(_FullDisk, "answers", refusals, raising=False)
    monkeypatch.setattr(imports, "SpooledTemporaryFile", _FullDisk)
    # All of the list goes to the disk.
    monkeypatch.setattr(imports, "_IN_MEMORY_BYTES", 1)
    monkeypatch.setattr(runner, "_RETRY_SECONDS", 0.01)
    payload = {"prefixes": ["camera/"], "tag_ids": [], "data_source_id": None}
    with lake.database.writing() as session:
        datalake_id = session.scalars(select(Datalake.id)).one()
        job_id = jobs.create(session, datalake_id, JobKind.IMPORT, payload).id

    assert _run(lake, job_id) == JobStatus.SUCCEEDED

    assert next(refusals, None) is None
    with lake.database.reading() as session:
        assert session.scalars(select(Data.object_name).order_by(Data.position)).all() == NAMES


def _run(lake: Lake, job_id: UUID) -> JobStatus:
    """Run jobs until this one has ended, and return how."""

    def ended() -> JobStatus | None:
        with lake.database.reading() as session:
            status = session.get_one(Job, job_id).status
        return status if status in {JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.KILLED} else None

    jobs_runner = runner.JobRunner(lake)
    jobs_runner.start()
    try:
        return wait_for(ended)
    finally:
        jobs_runner.stop()
