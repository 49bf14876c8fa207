"""A lake whose machine fails it: what it answers, that nothing is spoilt, and that it goes on without a restart."""

import errno
import os
import resource
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from airflow_provider_lake.server.blobs.signing import UrlSigner
from airflow_provider_lake.server.store.database import POOL_SECONDS
from tests.lake_process import LakeProcess
from tests.wire import small_disk
from tests.wire.job_calls import (
    finished,
    launch,
    log_lines,
    new_data,
    photo,
    register,
    wait_for,
)
from tests.wire.lake_api import LakeApi

MIB = 1 << 20
DISK = 12 * MIB


@pytest.fixture
def small(tmp_path: Path) -> Iterator[LakeProcess]:
    """Run a lake on a disk of 12 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if reason := small_disk.reason_why_not(folder):
        # Only a kernel that lets us mount one has a disk that can be filled without harm.
        pytest.skip(f"no small disk here: {reason}")
    with LakeProcess(folder / "data", launcher=small_disk.launcher(folder, str(DISK))) as lake:
        # From here its folder is seen only through the process.
        lake.data_dir = small_disk.seen_by(lake.process.pid, lake.data_dir)
        yield lake


@contextmanager
def _full(lake: LakeProcess, rest: int = 0) -> Iterator[None]:
    """Fill the lake's disk but for a rest, as long as the block."""
    filler = lake.data_dir / "filler"
    with filler.open("wb") as file:
        while True:
            found = os.statvfs(lake.data_dir)
            try:
                os.posix_fallocate(file.fileno(), 0, max(1, found.f_bavail * found.f_frsize - rest))
                break
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                # The lake has written something since: there is less room now, or none.
                if not found.f_bavail:
                    break
    try:
        yield
    finally:
        filler.unlink()


def _upload(api: LakeApi, name: str, content: bytes) -> requests.Response:
    form = api.presign(name)
    return requests.post(form["url"], data=form["fields"], files={"file": content}, timeout=60)


def _integrity(lake: LakeProcess, folder: Path) -> list[tuple[str]]:
    """Return what SQLite says of the database, of a copy: it would not find its way to the disk."""
    for name in ("lake.db", "lake.db-wal"):
        shutil.copy(lake.data_dir / name, folder / name)
    with closing(sqlite3.connect(folder / "lake.db")) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall()


def test_a_full_disk_refuses_uploads_and_recovers(small: LakeProcess) -> None:
    """With 507 and the reason, in one piece and in parts; nothing is left of what was refused, and reading goes on."""
    api = LakeApi(small)
    kept = api.upload("kept.jpg", photo())
    base, typed = f"/api/object-storage/{api.connector}", {"object_name": "big.mp4", "content_type": "video/mp4"}
    begun = {"object_name": "big.mp4"} | {
        "upload_id": api.post(f"{base}/init_multipart_upload", typed).json()["upload_id"]
    }
    part = api.post(f"{base}/generate_part_presigned_url", begun | {"part_no": 1}).json()["url"]
    form, url = api.presign("big.jpg"), f"{base}/retrieve_presigned_url"
    with _full(small, rest=2 * MIB):
        whole = requests.post(form["url"], data=form["fields"], files={"file": b"x" * 8 * MIB}, timeout=60)
        of_parts = requests.put(part, data=b"x" * 8 * MIB, timeout=60)
        staged = list((small.data_dir / "staging").rglob("*.arriving"))
        read = requests.get(api.post(url, {"object_name": kept}).json()["presigned_url"], timeout=60)

    assert (whole.status_code, whole.json()["message"]) == (507, "the disk of the lake is full")
    assert (of_parts.status_code, of_parts.json()["message"]) == (507, "the disk of the lake is full")
    assert (staged, read.content) == ([], photo())
    assert not (small.objects / "big.jpg").exists()
    assert _upload(api, "big.jpg", b"x" * 4 * MIB).status_code == 204
    assert requests.put(part, data=b"x" * MIB, timeout=60).status_code == 200


def test_a_full_disk_spoils_no_row(small: LakeProcess, tmp_path: Path) -> None:
    """A write that finds no room is answered 507 and leaves nothing; those that were acknowledged stay."""
    api = LakeApi(small)
    path = f"/api/datalake/{api.datalake}/tags"
    done: list[requests.Response] = []
    refused: list[requests.Response] = []
    with _full(small):
        for number in range(3000):
            answer = api.http.post(f"{small.url}{path}", json={"name": f"{number} {'x' * 200}"}, timeout=60)
            (done if answer.status_code == 201 else refused).append(answer)
            if len(refused) == 3:
                break
        listed = api.get(path, params={"limit": 1}).status_code

    assert {answer.status_code for answer in refused} == {507}
    assert refused[0].json() == {"message": "the disk of the lake is full"}
    assert listed == 200
    assert api.get(path, params={"limit": 1}).json()["count"] == len(done)
    assert api.post(path, {"name": "after"}).status_code == 201
    assert _integrity(small, tmp_path) == [("ok",)]


def test_jobs_wait_until_a_full_disk_has_room(small: LakeProcess, tmp_path: Path) -> None:
    """An import goes on where it was; a program is not ended because its log cannot be written meanwhile."""
    api, folder, end = LakeApi(small), small.objects / "in", tmp_path / "end"
    folder.mkdir()
    for number in range(400):
        (folder / f"{number}.jpg").write_bytes(photo())
    # Slowly enough that its lines do not fill the disk before the test does.
    code = (
        f"import os, time\nwhile not os.path.exists({str(end)!r}):\n"
        "    print('x' * 500, flush=True)\n    time.sleep(0.01)"
    )
    register = ["processing", "register", "--data-dir", str(tmp_path / "disk/data"), "writes", "--", sys.executable]
    small_disk.inside(
        small.process.pid, sys.executable, "-m", "airflow_provider_lake.cli", *register, "-c", code + "\nprint('end')"
    )
    program = launch(api, "writes", new_data(api))
    wait_for(lambda: log_lines(api, program))
    job = api.post(f"/api/datalake/{api.datalake}/objects", {"prefixes": ["in/"]}).json()["job"]["id"]
    with _full(small):
        log = tmp_path / "disk/data.log"
        wait_for(lambda: f"the log of job {program} waits" in log.read_text())
    end.touch()

    assert finished(api, program)["status"] == "SUCCEEDED"
    assert log_lines(api, program)[-1] == "end"
    assert finished(api, job)["progress"]["imported"] == 400
    assert _integrity(small, tmp_path) == [("ok",)]


def test_a_read_only_folder_refuses_uploads_and_recovers(small: LakeProcess) -> None:
    """With 503 and the reason; as soon as it can be written again, it is."""
    api = LakeApi(small)
    staging = Path(str(small.data_dir / "staging").removeprefix(f"/proc/{small.process.pid}/root"))
    with small_disk.read_only(small.process.pid, staging):
        without = _upload(api, "a.jpg", photo())

    assert (without.status_code, without.json()["message"]) == (503, "the folder of the lake cannot be written")
    assert _upload(api, "a.jpg", photo()).status_code == 204


def test_who_gets_no_connection_in_time_is_told_to_come_again(own_lake: LakeProcess) -> None:
    """While the database is locked and more requests wait than it has connections, the answer is 503, why, and when."""
    api = LakeApi(own_lake)
    path = f"{own_lake.url}/api/datalake/{api.datalake}/tags"

    def create(number: int) -> requests.Response:
        headers = dict(api.http.headers)
        return requests.post(path, json={"name": f"tag {number}"}, headers=headers, timeout=120)

    with closing(sqlite3.connect(own_lake.data_dir / "lake.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(30) as pool:
            asked = [pool.submit(create, number) for number in range(30)]
            busy = wait_for(
                lambda: [each.result() for each in asked if each.done() and each.result().status_code == 503]
            )
            connection.execute("ROLLBACK")
            answers = [each.result() for each in asked]

    assert busy[0].json()["message"] == "the lake is busy: too many requests wait for its database"
    assert int(busy[0].headers["retry-after"]) > 0
    assert {answer.status_code for answer in answers} <= {201, 503}
    assert create(99).status_code == 201
    assert POOL_SECONDS < 30


TALKATIVE = """
import os, sys, time
while not os.path.exists(sys.argv[1]):
    print("at work", flush=True)
    time.sleep(0.2)
"""


def test_a_busy_database_ends_no_program(own_lake: LakeProcess, tmp_path: Path) -> None:
    """Two programs talk while somebody else writes for longer than one waits for a turn; both succeed."""
    api = LakeApi(own_lake)
    register(own_lake, "talkative", sys.executable, "-c", TALKATIVE, str(tmp_path / "end"))
    data = new_data(api)
    jobs = [launch(api, "talkative", data) for _ in range(2)]
    for job_id in jobs:
        wait_for(lambda job_id=job_id: log_lines(api, job_id))  # type: ignore[misc]  # bound as the job of this turn

    with closing(sqlite3.connect(own_lake.data_dir / "lake.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        wait_for(lambda: "another transaction writes for too long" in own_lake.log)
        connection.execute("ROLLBACK")
    (tmp_path / "end").touch()

    assert {finished(api, job_id)["status"] for job_id in jobs} == {"SUCCEEDED"}


def test_a_lake_without_file_descriptors_starts_its_jobs_later(tmp_path: Path) -> None:
    """Its only slot outlives that the next job cannot be started."""
    with LakeProcess(tmp_path / "data", "--jobs", "1") as lake:
        api, end = LakeApi(lake), tmp_path / "end"
        register(lake, "talkative", sys.executable, "-c", TALKATIVE, str(end))
        data = new_data(api)
        first, second = launch(api, "talkative", data), launch(api, "talkative", data)
        wait_for(lambda: log_lines(api, first))

        before = resource.prlimit(lake.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(lake.process.pid, resource.RLIMIT_NOFILE, (3, before[1]))
        end.touch()
        wait_for(lambda: f"job {second} waits: [Errno {errno.EMFILE}]" in lake.log)
        resource.prlimit(lake.process.pid, resource.RLIMIT_NOFILE, before)

        assert finished(api, second)["status"] == "SUCCEEDED"


def test_an_upload_that_outlives_its_url_is_done_again(own_lake: LakeProcess) -> None:
    """Parts whose URL has expired are refused with 403 and why; with a new URL the same upload goes on."""
    api = LakeApi(own_lake)
    base, typed = f"/api/object-storage/{api.connector}", {"object_name": "late.mp4", "content_type": "video/mp4"}
    upload = {"object_name": "late.mp4"} | {
        "upload_id": api.post(f"{base}/init_multipart_upload", typed).json()["upload_id"]
    }
    first = api.post(f"{base}/generate_part_presigned_url", upload | {"part_no": 1}).json()["url"]
    second = api.post(f"{base}/generate_part_presigned_url", upload | {"part_no": 2}).json()["url"]
    parts = [{"ETag": requests.put(first, data=b"one" * 99, timeout=60).headers["etag"], "PartNumber": 1}]
    place = urlsplit(second)
    bound = {name: values[0] for name, values in parse_qs(place.query).items() if name in {"object", "max_bytes"}}
    signer = UrlSigner((own_lake.data_dir / "signing.key").read_bytes(), timedelta(seconds=-1))
    expired = requests.put(signer.sign_url("PUT", own_lake.url, place.path, bound), data=b"two", timeout=60)

    parts.append({"ETag": requests.put(second, data=b"two", timeout=60).headers["etag"], "PartNumber": 2})
    joined = api.post(f"{base}/complete_part_upload", upload | {"parts": parts})

    assert (expired.status_code, expired.json()["message"]) == (403, "the signature has expired")
    assert joined.status_code == 200
    assert (own_lake.objects / "late.mp4").read_bytes() == b"one" * 99 + b"two"


def test_a_part_is_bound_to_its_size(own_lake: LakeProcess) -> None:
    """Who asks for more than was signed needs another signature."""
    api = LakeApi(own_lake)
    base, typed = f"/api/object-storage/{api.connector}", {"object_name": "b.mp4", "content_type": "video/mp4"}
    upload = {"object_name": "b.mp4"} | {
        "upload_id": api.post(f"{base}/init_multipart_upload", typed).json()["upload_id"]
    }
    url = api.post(f"{base}/generate_part_presigned_url", upload | {"part_no": 1}).json()["url"]
    place = urlsplit(url)
    signer = UrlSigner((own_lake.data_dir / "signing.key").read_bytes(), timedelta(hours=1))
    small = signer.sign_url("PUT", own_lake.url, place.path, {"object": "b.mp4", "max_bytes": "10"})

    answers = [
        requests.put(each, data=b"x" * 11, timeout=60) for each in (small, url.replace("max_bytes=", "max_bytes=9"))
    ]

    assert [answer.status_code for answer in answers] == [413, 403]
    assert requests.put(small, data=b"x" * 10, timeout=60).status_code == 200


def test_a_token_that_is_revoked_in_the_middle_spoils_nothing(own_lake: LakeProcess) -> None:
    """Its next call is answered 401; what was begun is ended by another token of the same organization."""
    token = own_lake.run("user", "add", "ann").strip()
    ann, owner = LakeApi(own_lake, token), LakeApi(own_lake)
    name = ann.upload("a.jpg", photo())
    register(own_lake, "sleeps", sys.executable, "-c", "print('begun', flush=True)\nimport sys\nsys.stdin.read()")
    job = launch(ann, "sleeps", new_data(owner))
    (token_id,) = [line.split("\t")[0] for line in own_lake.run("token", "list").splitlines() if "\tann\t" in line]

    own_lake.run("token", "revoke", token_id)
    refused = ann.register("a.jpg", name)

    assert (refused.status_code, refused.json()["message"]) == (401, "this lake does not know the API token")
    assert owner.register("a.jpg", name).status_code == 201
    assert finished(owner, job)["status"] == "SUCCEEDED"
