"""The upload operator on files that lie in an object storage, against a real lake."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
import pytest

from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.exceptions import LakePermanentError, LakeUploadError
from airflow_provider_lake.ingest.files import find_files, local_copies
from airflow_provider_lake.operators.upload import UploadDataOperator
from tests.lake_process import LakeProcess
from tests.ordinary_user import ordinary_user
from tests.tries import Tries

BUCKET = "camera-dump"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """Run an S3 server; what it lacks, checking of signatures, does not matter for reading."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        lines = iter(process.stderr or ())
        url = next(line.split(" on ")[1].split()[0] for line in lines if " on http" in line)
        yield url
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def photos(s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Put photos and other files into a bucket, and connect Airflow to it: by a connection, and by the environment."""
    connection = {"conn_type": "aws", "login": "key", "password": "secret", "extra": {"endpoint_url": s3}}
    monkeypatch.setenv("AIRFLOW_CONN_CAMERAS", json.dumps(connection))
    for name, value in {"ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret", "ENDPOINT_URL": s3}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    client = boto3.client(
        "s3", endpoint_url=s3, aws_access_key_id="key", aws_secret_access_key="secret", region_name="us-east-1"
    )
    client.create_bucket(Bucket=BUCKET)
    paths = make_photos(tmp_path, 4)
    for number, path in enumerate(paths):
        client.upload_file(str(path), BUCKET, f"day/{number % 2}/{path.name}")
    client.put_object(Bucket=BUCKET, Key="day/notes.txt", Body=b"no photo")
    return paths


@pytest.fixture(autouse=True)
def _connected(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())


def _upload(filepaths: str | list[str], **options: Any) -> dict[str, Any]:
    summary: dict[str, Any] = UploadDataOperator(task_id="upload", filepaths=filepaths, **options).execute({})
    return summary


@pytest.mark.quick
@pytest.mark.parametrize(("filepaths", "count"), [(f"s3://{BUCKET}/day", 4), (f"s3://cameras@{BUCKET}/day/0/*.jpg", 2)])
def test_photos_of_a_bucket_arrive_byte_for_byte(
    lake: LakeProcess, photos: list[Path], monkeypatch: pytest.MonkeyPatch, filepaths: str, count: int
) -> None:
    """A folder's photos, without what is none, and those of a pattern; under their own names, with their EXIF."""
    tag = hashlib.sha256(filepaths.encode()).hexdigest()[:8]
    if "@" in filepaths:
        monkeypatch.delenv("AWS_ENDPOINT_URL")

    summary = _upload(filepaths, tags=[tag], source="bucket", fill_metadata=True)

    data = lake.client().get_datalake().list_data(tags=[tag])
    local = {path.name: path.read_bytes() for path in photos}
    assert (summary["uploaded"], summary["failed"]) == (count, 0)
    assert len(data) == count
    for each in data:
        assert each.read() == local[each.filename]
        assert (each.metadata or {})["software"] == "airflow-provider-lake sample"


@pytest.mark.usefixtures("photos")
def test_a_missing_object_is_named() -> None:
    """As the user wrote it."""
    with pytest.raises(FileNotFoundError, match=f"s3://{BUCKET}/night"):
        _upload(f"s3://{BUCKET}/night")


@pytest.mark.parametrize("max_failures", [1, 0.5])
def test_failures_up_to_the_limit_are_in_the_summary(lake: LakeProcess, tmp_path: Path, max_failures: float) -> None:
    """As a number or a share; the other files are there."""
    good, bad = make_photos(tmp_path, 1)[0], tmp_path / "bad.jpg"
    bad.write_text("words")

    summary = _upload([str(good), str(bad)], max_failures=max_failures)

    assert (summary["uploaded"], summary["failed"]) == (1, 1)
    [failure] = summary["failures"]
    assert failure["path"] == str(bad)
    assert "not an image" in failure["reason"]
    [data_id] = summary["data_ids"]
    assert lake.client().get_datalake().find_data(id=data_id).filename == good.name


def test_more_failures_fail_the_task_and_are_named(tmp_path: Path) -> None:
    """All of them, also where every file failed."""
    for name in ("one.jpg", "two.jpg"):
        (tmp_path / name).touch()

    with pytest.raises(LakeUploadError, match=r"(?s)one\.jpg.*two\.jpg"):
        _upload(str(tmp_path))


def test_an_unreadable_file_is_named() -> None:
    """As the user wrote it."""
    # Unlike those of pytest, a folder that other users can enter.
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        [path] = make_photos(Path(folder), 1)
        path.chmod(0)

        with ordinary_user(), pytest.raises(LakeUploadError, match=rf"{path}: .*[Pp]ermission"):
            _upload(str(path))


def test_metadata_for_another_number_of_files_are_refused(lake: LakeProcess, tmp_path: Path) -> None:
    """Before anything is uploaded."""
    make_photos(tmp_path, 3)

    with pytest.raises(LakePermanentError, match="metadata is given for 2 files, but there are 3"):
        _upload(str(tmp_path), metadata=[{}, {}], tags=["never"])
    assert "never" not in {tag.name for tag in lake.client().get_datalake().list_data_tags()}


def test_each_file_gets_its_own_metadata(lake: LakeProcess, tmp_path: Path) -> None:
    """In the order of the files."""
    paths = make_photos(tmp_path, 3)

    summary = _upload([str(path) for path in paths], metadata=[{"reference": path.name} for path in paths])

    found = lake.client().get_datalake().list_data(ids=summary["data_ids"])
    assert len(found) == 3
    assert all((each.metadata or {})["reference"] == each.filename for each in found)


def test_a_retry_uploads_only_what_failed(lake: LakeProcess, tmp_path: Path) -> None:
    """What is in the lake stays there once; the summary counts both tries."""
    paths = make_photos(tmp_path, 4)
    content = paths[2].read_bytes()
    paths[2].write_bytes(b"")
    operator = UploadDataOperator(task_id="upload", filepaths=str(tmp_path), tags=["retried"])
    tries = Tries()

    with pytest.raises(LakeUploadError, match=rf"1 of 4 files failed(?s:.)*{paths[2].name}"):
        operator.execute(tries.next())
    paths[2].write_bytes(content)
    summary = operator.execute(tries.next())

    data = lake.client().get_datalake().list_data(tags=["retried"])
    assert sorted(each.filename for each in data) == sorted(path.name for path in paths)
    assert (summary["uploaded"], summary["failed"], summary["failures"]) == (4, 0, [])
    assert sorted(summary["data_ids"]) == sorted(str(each.id) for each in data)


def test_a_retry_tries_no_file_again_that_is_no_image(lake: LakeProcess, tmp_path: Path) -> None:
    """It would fail alike, and the lake would have it twice."""
    make_photos(tmp_path, 1)
    (tmp_path / "words.jpg").write_text("words")
    operator = UploadDataOperator(task_id="upload", filepaths=str(tmp_path), tags=["words"])
    tries = Tries()

    for _ in range(2):
        with pytest.raises(LakeUploadError, match=r"words\.jpg"):
            operator.execute(tries.next())

    assert len(lake.client().get_datalake().list_data(tags=["words"])) == 2


def test_a_cleared_task_uploads_everything_again(lake: LakeProcess, tmp_path: Path) -> None:
    """And so does one whose files have changed their names."""
    make_photos(tmp_path, 2)
    operator = UploadDataOperator(task_id="upload", filepaths=str(tmp_path), tags=["cleared"])
    tries = Tries()

    operator.execute(tries.next())
    tries.clear()
    operator.execute(tries.next())

    assert len(lake.client().get_datalake().list_data(tags=["cleared"])) == 4


def test_an_object_that_cannot_be_downloaded_is_named_and_the_others_are_uploaded(
    photos: list[Path],
) -> None:
    """Here because the bucket loses it between listing and download."""
    files = find_files(f"s3://{BUCKET}/day")
    files[0].fs.rm_file(files[0].key)

    with local_copies(files) as copies:
        names = [copy.name if isinstance(copy, Path) else type(copy) for copy in copies]

    assert names[0] is FileNotFoundError
    assert set(names[1:]) == {path.name for path in photos} - {files[0].name}
