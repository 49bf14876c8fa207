"""Uploads of files with odd names, and of folders with more in them than photos, against a real lake."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.client import Data
from airflow_provider_lake.operators.data import UploadDataOperator
from airflow_provider_lake.operators.filepaths import chunk_files
from tests.lake_process import LakeProcess

# Of those that the lake takes.
NAMES = ["photo[1].jpg", "photo1.jpg", "st*r.jpg", "what?.jpg", "a%20b c.jpg", "h#sh.jpg", "data:x.jpg", "ü 漢.jpg"]


@pytest.fixture
def tag(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a tag of the test's own, in a connected lake."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())
    return f"names-{uuid4().hex[:8]}"


@pytest.fixture
def photo(tmp_path: Path) -> bytes:
    """Return the bytes of a photo."""
    return make_photos(tmp_path / "made", 1)[0].read_bytes()


def _upload(filepaths: Any, **options: Any) -> dict[str, Any]:
    summary: dict[str, Any] = UploadDataOperator(task_id="upload", filepaths=filepaths, **options).execute({})
    return summary


def _data(lake: LakeProcess, tag: str) -> list[Data]:
    return list(lake.client().get_datalake().list_data(tags=[tag]))


@pytest.mark.parametrize("folder", ["", "day/", "day/cam[1]/"])
def test_keys_of_a_bucket_are_names_and_nothing_else(
    lake: LakeProcess, tag: str, bucket: Any, photo: bytes, folder: str
) -> None:
    """At every depth, directly and in chunks: each key comes in under its own name; markers of folders do not."""
    content = {name: photo + name.encode() for name in NAMES}
    for name, body in content.items():
        bucket.put_object(Key=folder + name, Body=body)
    bucket.put_object(Key=f"{folder}empty/", Body=b"")
    bucket.put_object(Key=f"{folder}sub", Body=b"")
    bucket.put_object(Key=f"{folder}sub/deep.jpg", Body=photo)
    url = f"s3://archive@archive/{folder}"

    [chunk] = chunk_files(url)
    summaries = [_upload(url, tags=tag), _upload(chunk, tags=tag)]

    assert [summary["uploaded"] for summary in summaries] == [len(NAMES) + 1] * 2
    assert summaries[0]["left_out"] == {"folder marker": 1, "no suffix": 1}
    data = _data(lake, tag)
    assert sorted(each.filename for each in data) == sorted([*NAMES, "deep.jpg"] * 2)
    assert all(each.read() == content.get(each.filename, photo) for each in data)
    assert _upload(f"{url}sub", tags=tag)["uploaded"] == 1
