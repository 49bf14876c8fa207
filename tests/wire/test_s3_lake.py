"""A lake over a bucket of a real S3 server."""

import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image
from PIL.ExifTags import Base

from airflow_provider_lake.client import Data, Datalake, JobStatus
from airflow_provider_lake.media.images import read_header
from airflow_provider_lake.server.blobs.s3 import S3Store
from tests.lake_process import LakeProcess
from tests.videos import cut, large_video, make_video
from tests.wire.job_calls import finished, photo
from tests.wire.lake_api import LakeApi
from tests.wire.rgw import RadosGateway

MIB = 1 << 20


@pytest.fixture(scope="module")
def bucket(s3: RadosGateway) -> str:
    """Create a bucket."""
    return s3.new_bucket()


@pytest.fixture(scope="module")
def lake(s3: RadosGateway, bucket: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LakeProcess]:
    """Run a lake over the bucket."""
    data_dir = tmp_path_factory.mktemp("s3-lake") / "data"
    with LakeProcess(data_dir, "--storage", f"s3://{bucket}/lake", environment=s3.environment) as process:
        yield process


@pytest.fixture
def datalake(lake: LakeProcess) -> Datalake:
    """Return the lake's datalake."""
    return lake.client().get_datalake()


@pytest.fixture
def put(s3: RadosGateway, bucket: str) -> Callable[[str, bytes], Any]:
    """Return what puts an object into the lake's part of the bucket, past the lake."""
    client = s3.client()
    return lambda name, content: client.put_object(Bucket=bucket, Key=f"lake/{name}", Body=content)


@pytest.fixture
def store(s3: RadosGateway, bucket: str) -> S3Store:
    """Return the lake's store."""
    return S3Store(s3.client(), bucket, "lake/", timedelta(hours=1))


def _upload(datalake: Datalake, path: Path) -> Data:
    """Upload one file."""
    data = datalake.upload_data(path)
    assert isinstance(data, Data)
    return data


@pytest.mark.parametrize("size", [4000, 26 * MIB], ids=["one piece", "parts"])
def test_what_the_client_uploads_it_downloads(datalake: Datalake, tmp_path: Path, size: int) -> None:
    """Byte for byte, in one piece and in parts; the lake reads of it what it needs."""
    path = tmp_path / "a.mp4"
    path.write_bytes(large_video(size))

    data = _upload(datalake, path).wait_for_upload_done(0.05, 600)

    assert (data.file_size, data.width, data.codec) == (size, 16, "mpeg4")
    assert data.download(tmp_path / "downloaded").read_bytes() == path.read_bytes()


def test_uploaded_bytes_lie_below_the_prefix(datalake: Datalake, s3: RadosGateway, bucket: str, tmp_path: Path) -> None:
    """With their content type; deleting the data deletes them."""
    path = tmp_path / "a.jpg"
    path.write_bytes(photo())
    data = _upload(datalake, path)
    key = {"Bucket": bucket, "Key": f"lake/{data.object_name}"}

    assert s3.client().head_object(**key)["ContentType"] == "image/jpeg"
    data.delete()
    assert s3.client().list_objects_v2(Bucket=bucket, Prefix=key["Key"])["KeyCount"] == 0


def test_videos_of_the_bucket_are_decoded(datalake: Datalake, put: Callable[[str, bytes], Any]) -> None:
    """From a bucket as from a folder: what is cut is named."""
    prefix, whole = f"films-{uuid4()}", make_video(frames=50, options={"movflags": "faststart"})
    for name, content in {"whole.mp4": whole, "cut.mp4": cut(whole), "empty.mp4": b""}.items():
        put(f"{prefix}/{name}", content)

    job = datalake.import_bucket_objects([f"{prefix}/"], tags=prefix, check_files="decode").wait_for_done(0.05, 600)

    assert job.progress is not None
    reasons = {each["object_name"].rpartition("/")[2]: each["reason"] for each in job.progress["failures"]}
    assert reasons.pop("empty.mp4") == "the file is empty"
    assert reasons.pop("cut.mp4").startswith("the video is cut or broken after")
    assert reasons == {}
    assert [(data.filename, data.duration) for data in datalake.list_data(tags=prefix)] == [("whole.mp4", 5.0)]


def test_objects_of_the_bucket_are_imported(datalake: Datalake, put: Callable[[str, bytes], Any]) -> None:
    """With dimensions and EXIF; what a console shows as a folder, and what is no image, is not."""
    exif, prefix = Image.Exif(), f"cams-{uuid4()}"
    exif[Base.Make] = "ACME"
    for name, content in {"a.jpg": photo(32, 16, exif), "b/ä.jpg": photo(), "c.jpg": b"text", "d.jpg/": b""}.items():
        put(f"{prefix}/{name}", content)

    job = datalake.import_bucket_objects([f"{prefix}/"], tags=[prefix]).wait_for_done(0.05, 600)
    first, second = datalake.list_data(tags=prefix)

    assert job.status == JobStatus.SUCCEEDED
    assert (first.object_name, first.width, first.height) == (f"{prefix}/a.jpg", 32, 16)
    assert (first.metadata or {})["manufacturer"] == "ACME"
    assert second.object_name == f"{prefix}/b/ä.jpg"
    assert second.read() == photo()


def test_a_name_that_the_storage_would_change_is_refused(lake: LakeProcess) -> None:
    """S3 puts the name of the sent file in place of `${filename}`: the object would have another name."""
    api = LakeApi(lake)
    body = {"object_name": "data/${filename}", "content_type": "image/jpeg"}

    answer = api.post(f"/api/object-storage/{api.connector}/generate_presigned_url", body)

    assert (answer.status_code, "${filename}" in answer.json()["message"]) == (400, True)


@pytest.mark.parametrize("kind", ["BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF"])
def test_only_the_header_of_an_image_is_fetched(put: Callable[[str, bytes], Any], store: S3Store, kind: str) -> None:
    """Its first 64 KiB, however large it is, and no more than that again where the format needs it."""
    file, fetched = BytesIO(), list[dict[str, Any]]()
    Image.frombytes("RGB", (1500, 1000), random.randbytes(4_500_000)).save(file, kind)
    put(f"headers/{kind}", file.getvalue())
    store.client.meta.events.register("after-call.s3.GetObject", lambda parsed, **_: fetched.append(parsed))

    with store.open(f"headers/{kind}") as opened:
        facts = read_header(opened)

    assert (facts.width, facts.height) == (1500, 1000)
    assert sum(answer["ContentLength"] for answer in fetched) <= 128 << 10 < len(file.getvalue())


def test_small_reads_are_few_requests(put: Callable[[str, bytes], Any], store: S3Store) -> None:
    """64 KiB are read ahead; the whole, asked for at once, is one request more."""
    content, fetched = random.randbytes(MIB), list[dict[str, Any]]()
    put("reads", content)
    store.client.meta.events.register("after-call.s3.GetObject", lambda parsed, **_: fetched.append(parsed))

    with store.open("reads") as file:
        assert [file.read(1) for _ in range(1000)] == [content[n : n + 1] for n in range(1000)]
        assert len(fetched) == 1
        file.seek(0)
        assert file.read() == content
        assert len(fetched) == 2


def _fail_to_serve(data_dir: Path, storage: str, environment: dict[str, str]) -> str:
    """Start a lake, which must fail, and return the one line that it says."""
    command = [sys.executable, "-m", "airflow_provider_lake.cli", "serve", "--port", "0", "--data-dir", str(data_dir)]
    result = subprocess.run(
        [*command, "--storage", storage], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert re.fullmatch(r"lake serve: [^\n]+\n", result.stderr), result.stderr
    return result.stderr


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({}, "NoSuchBucket"),
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "SignatureDoesNotMatch"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "credentials"),
        ({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}, "http://127.0.0.1:9"),
        ({"AWS_PROFILE": "no-such-profile"}, "no-such-profile"),
    ],
)
def test_a_storage_that_cannot_be_used_is_named_in_one_line(
    s3: RadosGateway, tmp_path: Path, changes: dict[str, str], named: str
) -> None:
    """Missing bucket, wrong credentials, wrong address: the lake does not start."""
    nowhere = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}

    assert named in _fail_to_serve(tmp_path / "lake", "s3://no-such-bucket/x", nowhere | {**s3.environment} | changes)


@pytest.mark.parametrize(
    ("storage", "named"),
    [
        ("bucket", "s3://BUCKET"),
        ("s3://", "s3://BUCKET"),
        ("s3://no bucket", "it must be s3://BUCKET or s3://BUCKET/PREFIX"),
    ],
)
def test_what_is_no_storage_is_named_in_one_line(tmp_path: Path, storage: str, named: str) -> None:
    """The line says how it is written."""
    assert named in _fail_to_serve(tmp_path / "lake", storage, {"PATH": "/usr/bin:/bin"})


def test_a_storage_that_is_lost_comes_back(
    s3: RadosGateway, lake: LakeProcess, bucket: str, put: Callable[[str, bytes], Any]
) -> None:
    """Meanwhile what needs it answers 503 and why, the rest goes on, and jobs wait."""
    put("lost/a.jpg", photo())
    api = LakeApi(lake)
    path = f"{lake.url}/api/object-storage/{api.connector}/retrieve_presigned_url"
    wanted = {"object_name": "lost/a.jpg"}

    s3.stop_gateway()
    try:
        without = api.http.post(path, json=wanted, timeout=60)
        pages = api.get(f"/api/datalake/{api.datalake}/datas")
        job = api.post(f"/api/datalake/{api.datalake}/objects", {"prefixes": ["lost/"]}).json()["job"]
    finally:
        s3.start_gateway()
    ended = finished(api, job["id"])

    assert (without.status_code, bucket in without.json()["message"]) == (503, True)
    assert pages.status_code == 200
    assert (ended["status"], ended["progress"]["imported"]) == ("SUCCEEDED", 1)
    assert api.http.post(path, json=wanted, timeout=60).status_code == 200
