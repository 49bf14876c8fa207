"""What `lake demo` refuses to begin."""

from pathlib import Path

import pytest

from airflow_provider_lake.cli.demo import run_demo
from airflow_provider_lake.cli.errors import CommandError
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
