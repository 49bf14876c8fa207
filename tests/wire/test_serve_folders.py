"""Lakes in folders of odd names: each has its own data."""

from pathlib import Path

import pytest

from airflow_provider_lake.client import NoDataError
from tests.lake_process import LakeProcess
from tests.wire.job_calls import photo
from tests.wire.lake_api import LakeApi


def test_two_lakes_whose_names_differ_behind_a_question_mark_share_nothing(tmp_path: Path) -> None:
    """Neither their data nor their tokens; the commands beside them find the right one."""
    with LakeProcess(tmp_path / "cams?a 100%25") as one, LakeProcess(tmp_path / "cams?b#x") as other:
        api = LakeApi(one)
        name = api.upload("a.jpg", photo())
        api.register("a.jpg", name)
        assert one.client().get_datalake().list_data().ids
        with pytest.raises(NoDataError):
            other.client().get_datalake().list_data()
        other.run("user", "add", "guest")
        assert "guest" in other.run("user", "list")
        assert "guest" not in one.run("user", "list")
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["cams?a 100%25", "cams?b#x"]


def test_an_empty_token_file_of_the_lake_is_filled(tmp_path: Path) -> None:
    """A full disk left it empty: the next start makes another token, and who reads it can sign in."""
    with LakeProcess(tmp_path / "lake") as lake:
        before = lake.token
        lake.stop()
        (tmp_path / "lake" / "token").write_text("")
        (tmp_path / "lake" / "signing.key").write_bytes(b"")
        lake.start()
        assert lake.token != before
        assert lake.client().username == "owner"
