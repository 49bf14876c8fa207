"""What a program says of its job: the requests of the published client, and the lines that come back."""

import json
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests
from PIL import Image

from airflow_provider_lake.client import Client, Job, NotFoundError, UploadError, UsageError
from tests.lake_process import LakeProcess
from tests.wire.job_calls import register
from tests.wire.lake_api import LakeApi
from tests.wire.published_client import picsellia
from tests.wire.scripted import Given, scripted

ORGANIZATION, CONNECTOR, JOB = (str(UUID(int=number)) for number in (1, 2, 3))
CONNECTED = (
    Given(body={"sdk_version": "6.37.0", "username": "someone", "default_organization": ORGANIZATION}),
    Given(body={"id": ORGANIZATION, "name": "org", "default_connector_id": CONNECTOR}),
    Given(body={"id": JOB, "status": "RUNNING"}),
)


@pytest.fixture
def job(lake: LakeProcess, tmp_path: Path) -> Job:
    """Launch a processing that does nothing."""
    register(lake, "silent", sys.executable, "-c", "")
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    client = lake.client()
    datalake = client.get_datalake()
    datalake.upload_data(tmp_path / "a.png")
    return datalake.launch_processing(client.get_processing("silent"), datalake.list_data(limit=1))


def _say_everything(job: Any, path: Path) -> None:
    job.send_logging("begun", "first")
    job.send_logging(["two", "lines"], "first", special=["bold"])
    job.start_logging_chapter("middle")
    job.start_logging_buffer(3)
    job.end_logging_buffer()
    job.send_logging("done", "second", final=True, special="green")
    assert job.store_logging_file(str(path)) == "logs/all.txt"
    job.send_logging("stored", "second")


def _requests_of(connect: Callable[[str], Any], path: Path) -> list[tuple[str, str, Any]]:
    """Return what a client sends when all is said of a job that can be said."""
    with scripted(*CONNECTED) as server:
        logged, stored = Given(body={}), Given(body={"logging_object_name": "logs/all.txt"})
        form = {"url": f"{server.url}/bucket", "fields": {"key": "logs/all.txt"}}
        signed = Given(body={"client_type": "minio", "presigned_url_data": form})
        server.answers += [logged] * 3 + [Given(body={"object_name": "logs/all.txt"}), signed, Given(204, b"")]
        server.answers += [stored, logged]
        _say_everything(connect(server.url).get_job_by_id(JOB), path)
        return [(each.method, each.path, _content(each.body)) for each in server.asked]


def _content(body: bytes) -> Any:
    return json.loads(body) if body.startswith(b"{") else b"the whole log" in body


@pytest.mark.parametrize("is_on_the_platform", [True, False])
def test_both_clients_say_the_same(
    is_on_the_platform: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same requests in the same order, and the same marks in what is printed."""
    monkeypatch.setattr(picsellia.utils, "print_section_handler", str(int(is_on_the_platform)))
    monkeypatch.setenv("PICSELLIA_SDK_SECTION_HANDLER", str(int(is_on_the_platform)))
    path = tmp_path / "all.txt"
    path.write_text("the whole log")
    expected = _requests_of(lambda url: picsellia.Client("token", host=url), path)
    expected_marks = capsys.readouterr().out

    assert _requests_of(lambda url: Client("token", host=url), path) == expected
    assert capsys.readouterr().out == expected_marks
    assert bool(expected_marks) == is_on_the_platform


def test_lines_come_back(job: Job) -> None:
    """In their order, whatever record of the job said them; the numbers go on."""
    job.send_logging("first", "part")
    again = job.wait_for_done(0.05, 600)
    again.send_logging(["second", "third"], "part")
    again.refresh().send_logging("last", "part", final=True)

    assert job.log_tail() == ["first", "second", "third", "last"]
    assert job.job_log.next_number() == 3


def test_a_log_is_stored_as_a_file(job: Job, api: LakeApi, tmp_path: Path) -> None:
    """Its bytes lie where the answer says."""
    path = tmp_path / "whole.log"
    path.write_bytes(b"line\n" * 1000)
    object_name = job.store_logging_file(path)
    signed = api.post(f"/api/object-storage/{api.connector}/retrieve_presigned_url", {"object_name": object_name})

    assert object_name.endswith("whole.log")
    assert requests.get(signed.json()["presigned_url"], timeout=60).content == path.read_bytes()


def test_what_cannot_be_logged(job: Job, tmp_path: Path) -> None:
    """A missing file, a job that is none, and a record out of a pickle: each says what is wrong."""
    with pytest.raises(UploadError, match="nowhere"):
        job.store_logging_file(tmp_path / "nowhere")
    stranger = Job.from_json(job.session, {"id": str(uuid4()), "status": "RUNNING"})
    with pytest.raises(NotFoundError, match=str(stranger.id)):
        stranger.send_logging("line", "part")
    with pytest.raises(UsageError, match="pickle"):
        pickle.loads(pickle.dumps(job)).send_logging("line", "part")  # noqa: S301 - our own
