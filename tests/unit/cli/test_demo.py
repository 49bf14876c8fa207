"""What `lake demo` refuses to begin."""

from pathlib import Path

import pytest

from airflow_provider_lake.cli.demo import run_demo
from airflow_provider_lake.cli.errors import CommandError
from airflow_provider_lake.cli.main import main
from airflow_provider_lake.cli.sample_photos import make_photos


def test_photos_that_it_would_delete_are_left_alone(tmp_path: Path) -> None:
    """The lake of an earlier demo is made anew: what lies in its bucket cannot be the photos of this one."""
    [photo] = make_photos(tmp_path / "lake" / "objects" / "cameras", 1)

    with pytest.raises(CommandError, match="lake of an earlier demo"):
        run_demo(photo.parent, tmp_path)
    assert photo.exists()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """Before anything is made."""
    with pytest.raises(CommandError, match=r"no such folder: .*nowhere"):
        run_demo(tmp_path / "nowhere", tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_a_folder_without_files_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is started, in one sentence."""
    (tmp_path / "photos" / "empty").mkdir(parents=True)
    assert main(["demo", "--photos", str(tmp_path / "photos"), "--data-dir", str(tmp_path / "lake")]) == 1
    said = capsys.readouterr().err
    assert said == f"lake demo: there is no file in {tmp_path / 'photos'}\n"


@pytest.mark.server
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a traceback."""
    (tmp_path / "file").touch()
    assert main(["demo", "--data-dir", str(tmp_path / "file")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("lake demo: Not a directory: ")
    assert said.count("\n") == 1
