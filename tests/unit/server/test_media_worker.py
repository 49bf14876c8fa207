"""New data are looked at, however many there are and whatever was said of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from airflow_provider_lake.media.images import warn_unsupported
from airflow_provider_lake.server.bootstrap import open_lake
from airflow_provider_lake.server.context import Lake
from airflow_provider_lake.server.settings import Settings
from airflow_provider_lake.server.store.queries import imports
from airflow_provider_lake.server.store.states import DataType, UploadStatus
from airflow_provider_lake.server.store.tables import Data, Datalake, utc_now
from airflow_provider_lake.server.work.media.inspection import MediaWorker
from tests.videos import make_video
from tests.wire.job_calls import photo, wait_for

VIDEO = make_video(frames=3, size=(32, 16))


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    """Open a lake that nothing works on."""
    with open_lake(Settings(tmp_path / "data")) as lake:
        yield lake


def test_all_that_an_earlier_lake_left_is_looked_at(lake: Lake) -> None:
    """Although nothing new comes in, and it is more than is looked at together."""
    count = 450
    _add(lake, [_row(f"{number}.mp4") for number in range(count)])

    assert _read_all_pending(lake) == {UploadStatus.DONE: count}


def test_only_what_is_measured_replaces_what_was_said(lake: Lake) -> None:
    """Photos and videos get the dimensions that they have; what is neither keeps what was said."""
    said = {"width": 640, "height": 480}
    _add(lake, [_row("a.mp4", **said), _row("a.jpg", type=DataType.IMAGE, **said), _row("b.mp4", **said)])
    lake.stores.root.put("b.mp4", b"no video", "video/mp4")

    assert _read_all_pending(lake) == {UploadStatus.DONE: 2, UploadStatus.ERROR: 1}
    with lake.database.reading() as session:
        found = session.execute(select(Data.object_name, Data.width, Data.height, Data.thumbnail_due)).tuples()
        assert set(found) == {("a.mp4", 32, 16, True), ("a.jpg", 64, 48, True), ("b.mp4", 640, 480, False)}


def test_facts_of_videos_are_kept(lake: Lake) -> None:
    """Their duration, frame rate and codec."""
    _add(lake, [_row("a.mp4")])

    _read_all_pending(lake)

    with lake.database.reading() as session:
        found = session.execute(select(Data.duration, Data.frame_rate, Data.codec)).one()
        assert tuple(found) == (0.3, 10.0, "mpeg4")


def test_without_pyav_videos_come_in_as_they_are(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody can look into them; the log says once what to install."""
    warn_unsupported.cache_clear()
    # A module of that name that cannot be loaded, for the processes that read videos.
    (lake.settings.data_dir / "missing").mkdir()
    (lake.settings.data_dir / "missing" / "av.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(lake.settings.data_dir / "missing"))
    _add(lake, [_row("a.mp4", width=640, height=480), _row("b.mp4")])

    assert _read_all_pending(lake) == {UploadStatus.DONE: 2}
    (said,) = [record.message for record in caplog.records if "airflow-provider-lake[video]" in record.message]
    assert said.endswith("they come in as they are, without size, metadata and thumbnail")
    with lake.database.reading() as session:
        found = session.execute(select(Data.width, Data.codec, Data.thumbnail_due)).tuples()
        assert set(found) == {(640, None, False), (None, None, False)}


def _row(object_name: str, **values: Any) -> dict[str, Any]:
    row = {"type": DataType.VIDEO, "width": None, "height": None} | values
    return row | {"id": uuid4(), "object_name": object_name, "filename": object_name, "content_type": "of no account"}


def _add(lake: Lake, rows: list[dict[str, Any]]) -> None:
    """Add data that nobody looked at, with their objects."""
    for row in rows:
        content = VIDEO if row["type"] == DataType.VIDEO else photo(64, 48)
        lake.stores.root.put(row["object_name"], content, row["content_type"])
    with lake.database.writing() as session:
        datalake_id: UUID = session.scalars(select(Datalake.id)).one()
        imports.add_data(session, [row | {"datalake_id": datalake_id, "created_at": utc_now()} for row in rows], [])


def _read_all_pending(lake: Lake) -> dict[str, int]:
    """Look at data until none waits, and return how many there are in each state."""

    def ended() -> dict[str, int] | None:
        with lake.database.reading() as session:
            counted = select(Data.upload_status, func.count()).group_by(Data.upload_status)
            states: dict[str, int] = dict(session.execute(counted).tuples().all())
        return None if {UploadStatus.PENDING, UploadStatus.COMPUTING} & states.keys() else states

    worker = MediaWorker(lake)
    worker.start()
    try:
        return wait_for(ended)
    finally:
        worker.stop()
