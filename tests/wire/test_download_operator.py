"""Getting data out of a real lake as a task, into folders and an object storage."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest

from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.exceptions import LakeDownloadError, LakePermanentError
from airflow_provider_lake.operators.download import DownloadDataOperator
from tests.lake_process import LakeProcess
from tests.ordinary_user import ordinary_user
from tests.wire.task_data import upload


@pytest.fixture
def tag(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a tag of the test's own, in a connected lake."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())
    return f"downloaded-{uuid4().hex[:8]}"


@pytest.fixture
def photos(tag: str, tmp_path: Path) -> list[Path]:
    """Upload photos under the tag."""
    paths = make_photos(tmp_path / "photos with spaces", 4)
    upload(paths, tags=[tag])
    return paths


def _download(target: Path | str, **options: Any) -> dict[str, Any]:
    operator = DownloadDataOperator(task_id="download", target=str(target), **options)
    summary: dict[str, Any] = operator.execute({})
    return summary


def test_files_arrive_byte_for_byte_and_are_kept_by_a_retry(tag: str, photos: list[Path], tmp_path: Path) -> None:
    """Into a folder that is made; nothing else is left there, and a file that is missing is fetched again."""
    folder = tmp_path / "out" / "deep er"

    first = _download(f"file://{folder}", tags=tag)
    (folder / photos[1].name).unlink()
    second = _download(folder, tags=tag)

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        path.name: path.read_bytes() for path in photos
    }
    size = sum(path.stat().st_size for path in photos)
    assert (first["data_count"], first["downloaded"], first["kept"], first["bytes"]) == (4, 4, 0, size)
    assert (second["data_count"], second["downloaded"], second["kept"]) == (4, 1, 3)


def test_data_of_the_same_filename_all_arrive(lake: LakeProcess, tag: str, tmp_path: Path) -> None:
    """The oldest under that name, the others with their ids behind it; a retry keeps all."""
    for seed in (1, 2, 3):
        upload(make_photos(tmp_path / str(seed), 1, seed=seed), tags=[tag])
    folder = tmp_path / "out"

    _download(folder, tags=tag)
    again = _download(folder, tags=tag)

    data = lake.client().get_datalake().list_data(tags=[tag])
    names = ["field-7-0000.jpg", *(f"field-7-0000-{each.id}.jpg" for each in data[1:])]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        name: each.read() for name, each in zip(names, data, strict=True)
    }
    assert again["kept"] == 3


def test_files_are_named_by_id_where_told(lake: LakeProcess, tag: str, photos: list[Path], tmp_path: Path) -> None:
    """With the extension of their filenames."""
    _download(tmp_path / "out", tags=tag, name_by="id")

    data = lake.client().get_datalake().list_data(tags=[tag])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(f"{each.id}.jpg" for each in data)
    assert len(data) == len(photos)


def test_a_file_of_another_size_is_replaced_only_where_told(tag: str, photos: list[Path], tmp_path: Path) -> None:
    """Otherwise it stays, and the task fails and names it, after the others have arrived."""
    foreign = tmp_path / "out" / photos[2].name
    foreign.parent.mkdir()
    foreign.write_text("somebody's")

    with pytest.raises(LakeDownloadError, match=rf"1 of 4 files failed(?s:.)*{foreign}: .* 10 bytes"):
        _download(foreign.parent, tags=tag)
    assert foreign.read_text() == "somebody's"
    assert len(list(foreign.parent.iterdir())) == 4
    assert _download(foreign.parent, tags=tag, max_failures=1)["failures"][0]["path"] == str(foreign)

    assert _download(foreign.parent, tags=tag, overwrite=True)["downloaded"] == 1
    assert foreign.read_bytes() == photos[2].read_bytes()


def test_a_folder_in_the_place_of_a_file_fails_one_data(tag: str, photos: list[Path], tmp_path: Path) -> None:
    """The others arrive, and nothing is lost of the folder."""
    folder = tmp_path / "out" / photos[2].name
    folder.mkdir(parents=True)

    summary = _download(folder.parent, tags=tag, overwrite=True, max_failures=1)

    assert (summary["downloaded"], summary["failed"]) == (3, 1)
    assert "a folder of that name" in summary["failures"][0]["reason"]
    assert folder.is_dir()


def test_data_whose_bytes_are_gone_are_named(lake: LakeProcess, tag: str, photos: list[Path], tmp_path: Path) -> None:
    """The others arrive, and no piece of a file is left."""
    data = lake.client().get_datalake().list_data(tags=[tag])
    (lake.objects / data[0].object_name).unlink()

    summary = _download(tmp_path / "out", tags=tag, max_failures=0.25)

    assert (summary["downloaded"], summary["failed"]) == (3, 1)
    assert data[0].filename in summary["failures"][0]["path"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(each.filename for each in data[1:])
    assert len(photos) == 4


def test_a_file_in_the_place_of_the_folder_is_named(tag: str, photos: list[Path]) -> None:
    """For good, whether it is the folder itself or one above it."""
    for target in (photos[0], photos[0] / "below"):
        with pytest.raises(LakePermanentError, match="can be no folder: a file is in its place"):
            _download(str(target), tags=tag)


@pytest.mark.usefixtures("photos")
def test_a_folder_that_cannot_be_written_is_named(tag: str) -> None:
    """Before anything is downloaded."""
    # Unlike those of pytest, a folder that other users can enter.
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with ordinary_user(), pytest.raises(PermissionError, match=folder):
            _download(f"{folder}", tags=tag)
        with ordinary_user(), pytest.raises(PermissionError, match=folder):
            _download(f"{folder}/new", tags=tag)


def test_files_arrive_in_a_bucket_and_are_kept_by_a_retry(bucket: Any, tag: str, photos: list[Path]) -> None:
    """By a connection of their own, byte for byte."""
    first = _download("s3://archive@archive/day one/", tags=tag)
    second = _download("s3://archive@archive/day one", tags=tag)

    assert {item.key: item.get()["Body"].read() for item in bucket.objects.all()} == {
        f"day one/{path.name}": path.read_bytes() for path in photos
    }
    assert (first["downloaded"], second["downloaded"], second["kept"]) == (4, 0, 4)
