"""Uploads of files with odd names, and of folders with more in them than photos, against a real lake."""

import json
import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.client import Data, UploadFailedError, UsageError
from airflow_provider_lake.exceptions import LakeUploadError
from airflow_provider_lake.ingest.files import chunk_files
from airflow_provider_lake.operators.download import DownloadDataOperator
from airflow_provider_lake.operators.upload import UploadDataOperator
from tests.lake_process import LakeProcess
from tests.ordinary_user import ordinary_user
from tests.tries import Tries

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


# Newline, tab and backslash are the lake's own rule; a name that is no UTF-8 cannot even be sent.
REFUSED = [b"caf\xe9.jpg", b"new\nline.jpg", b"t\tab.jpg", b"back\\slash.jpg", b"\xff\xfe.jpg", b"c\x01.jpg"]


def _put(folder: Path, names: list[bytes], content: bytes) -> None:
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(content + bytes([number]))


@pytest.mark.parametrize("options", [{}, {"if_exists": "skip"}, {"if_exists": "skip_content"}, {"manifest": True}])
def test_names_that_the_lake_refuses_fail_by_themselves(
    lake: LakeProcess, tag: str, photo: bytes, tmp_path: Path, options: dict[str, Any]
) -> None:
    """Each is named, so that it can be read and stored; all others come in, and a retry fails alike."""
    folder = tmp_path / "photos"
    good = [f"{tag}-a.jpg", f"{tag}-b.jpg"]
    _put(folder, [*map(str.encode, good), *REFUSED], photo + tag.encode())
    if "manifest" in options:
        options = {"manifest": str(tmp_path / "run.jsonl")}
    operator = UploadDataOperator(task_id="upload", filepaths=chunk_files(folder)[0], tags=tag, **options)
    tries = Tries()

    with pytest.raises(LakeUploadError, match=r"6 of 8 files failed(?s:.)*caf\\xe9\.jpg"):
        operator.execute(tries.next())
    operator.max_failures = len(REFUSED)
    summary = operator.execute(tries.next())

    assert (summary["uploaded"] + summary["skipped"], summary["failed"]) == (2, 6)
    assert json.dumps(summary, ensure_ascii=False).encode()
    named = [failure["path"] for failure in summary["failures"]]
    assert sorted(named) == sorted(f"{folder}/{name.decode(errors='backslashreplace')}" for name in REFUSED)
    assert all("name" in failure["reason"] for failure in summary["failures"])
    assert sorted(each.filename for each in _data(lake, tag)) == good


def test_the_client_uploads_all_that_it_can(lake: LakeProcess, tag: str, photo: bytes, tmp_path: Path) -> None:
    """Among names that are refused, a file that is missing, and a folder."""
    folder = tmp_path / "photos"
    _put(folder, [b"a.jpg", *REFUSED, b"z.jpg"], photo)
    paths = [*sorted(folder.iterdir()), folder / "missing.jpg", folder]

    with pytest.raises(UploadFailedError) as failed:
        lake.client().get_datalake().upload_data(paths, tags=tag)

    assert len(failed.value.errors) == len(REFUSED) + 2
    assert str(failed.value).encode()
    assert "caf\\xe9.jpg" in str(failed.value)
    assert sorted(each.filename for each in failed.value.uploaded) == ["a.jpg", "z.jpg"]


def test_a_named_file_that_is_missing_is_a_failed_file(tag: str, photo: bytes, tmp_path: Path) -> None:
    """It counts, and is named; alone, too. The metadata of each file stay with it."""
    (tmp_path / "a.jpg").write_bytes(photo)
    paths = [str(tmp_path / name) for name in ("missing.jpg", "a.jpg", "gone.mp4")]

    summary = _upload(paths, tags=tag, max_failures=2, metadata=[{}, {"reference": "a"}, {}])

    assert (summary["uploaded"], summary["failed"]) == (1, 2)
    assert [failure["path"] for failure in summary["failures"]] == [paths[0], paths[2]]
    assert all("no such file" in failure["reason"] for failure in summary["failures"])
    assert _upload(paths[0], max_failures=1)["failed"] == 1
    with pytest.raises(LakeUploadError, match=r"1 of 2 files failed(?s:.)*missing\.jpg"):
        _upload(paths[:2], skip_if_empty=True)


@pytest.mark.parametrize("nothing", ["empty", "*.png", "nowhere"])
def test_what_is_empty_is_an_error_that_says_what_was_left_out(
    tag: str, photo: bytes, tmp_path: Path, nothing: str
) -> None:
    """Or skips the task, where told; beside files that are there, it is a failure, or passed over."""
    (tmp_path / "empty").mkdir()
    for name in ("notes.txt", "empty/a.txt", "empty/.b.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "a.jpg").write_bytes(photo)
    path, good = str(tmp_path / nothing), str(tmp_path / "a.jpg")
    said = r".*left out 2 files: 1 hidden file, 1 \.txt" if nothing == "empty" else ""

    with pytest.raises(FileNotFoundError, match=re.escape(path) + said):
        _upload(path)
    with pytest.raises(AirflowSkipException, match=re.escape(path) + said):
        _upload(path, skip_if_empty=True)
    with pytest.raises(LakeUploadError, match=r"1 of 2 files failed(?s:.)*" + re.escape(path)):
        _upload([good, path])
    summary = _upload([good, path], skip_if_empty=True, tags=tag)
    assert (summary["uploaded"], summary["failed"]) == (1, 0)


def test_an_empty_prefix_of_a_bucket_can_be_skipped(tag: str, bucket: Any) -> None:
    """A folder marker alone is nothing."""
    bucket.put_object(Key="day/", Body=b"")

    for url in ("s3://archive@archive/day/", "s3://archive@archive/night", "s3://archive@archive/day/*.jpg"):
        with pytest.raises(AirflowSkipException, match=re.escape(url.rstrip("/"))):
            _upload(url, skip_if_empty=True, tags=tag)


def test_a_folder_that_cannot_be_read_counts_as_failed(tag: str, photo: bytes) -> None:
    """And is named; once it can be read, the retry uploads what is in it."""
    # Unlike those of pytest, a folder that other users can enter.
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        locked = Path(folder, "locked")
        locked.mkdir()
        (locked / "b.jpg").write_bytes(photo)
        Path(folder, "a.jpg").write_bytes(photo)
        locked.chmod(0)

        with ordinary_user():
            with pytest.raises(LakeUploadError, match=rf"1 of 2 files failed(?s:.)*{locked}: .*denied"):
                _upload(folder)
            summary = _upload(folder, tags=tag, max_failures=1)
        locked.chmod(0o755)

        assert (summary["uploaded"], summary["left_out"]) == (1, {"unreadable folder": 1})
        assert [failure["path"] for failure in summary["failures"]] == [str(locked)]
        assert _upload(folder, tags=tag)["uploaded"] == 2


@pytest.mark.parametrize("url", ["{folder}/run.jsonl", "s3://archive@archive/runs/run.jsonl"])
def test_nothing_but_the_manifest_is_left_of_a_run(
    tag: str, bucket: Any, photo: bytes, tmp_path: Path, url: str
) -> None:
    """Of one that succeeded with a failed file; of one that failed, once no try follows."""
    out = tmp_path / "out"
    manifest = url.format(folder=out)
    (tmp_path / "a.jpg").write_bytes(photo)
    (tmp_path / "b.jpg").touch()

    def left() -> list[str]:
        return sorted(
            [path.name for path in out.glob("*")] + [each.key.rpartition("/")[2] for each in bucket.objects.all()]
        )

    operator = UploadDataOperator(
        task_id="upload", filepaths=[str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg")], manifest=manifest, tags=tag
    )
    tries = Tries(retries=1)
    with pytest.raises(LakeUploadError):
        operator.execute(tries.next())
    assert len(left()) == 2
    with pytest.raises(LakeUploadError):
        operator.execute(tries.next())
    assert left() == ["run.jsonl"]

    operator.max_failures = 1
    assert operator.execute(Tries().next())["failed"] == 1
    assert left() == ["run.jsonl"]


@pytest.mark.parametrize("name", ["x" * 251 + ".jpg", "é" * 125 + ".jpeg", "a." + "x" * 250])
def test_the_longest_names_come_in_and_out(
    lake: LakeProcess, tag: str, photo: bytes, tmp_path: Path, name: str
) -> None:
    """By the client and by a task, under the filename and under the id."""
    (tmp_path / name).write_bytes(photo)
    assert _upload(str(tmp_path / name), tags=tag, max_failures=1)["failed"] == 0
    [data] = _data(lake, tag)
    folder = tmp_path / "out"

    saved = [data.download(folder), data.download(folder, use_id=True)]
    for name_by in ("filename", "id"):
        DownloadDataOperator(task_id="download", tags=tag, target=str(folder / name_by), name_by=name_by).execute({})
        saved += (folder / name_by).iterdir()

    assert [path.name for path in saved[::2]] == [name, name]
    assert all(path.read_bytes() == photo for path in saved)
    assert len(saved) == 4
    with pytest.raises(UsageError, match="target_path is empty"):
        data.download("")
