"""Jobs on a real lake: reports, logs, and who may make them."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from tests.lake_process import LakeProcess
from tests.wire.job_calls import (
    finished,
    get_job,
    launch,
    log_lines,
    new_data,
    register,
    try_launch,
    wait_for_line,
)
from tests.wire.lake_api import LakeApi

PROGRAM = """
import os, sys, time
print("ready", flush=True)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.05)
"""


@pytest.fixture
def job_id(lake: LakeProcess, api: LakeApi, tmp_path: Path) -> Iterator[str]:
    """Start a job that runs as long as the test, and wait until its program has been heard of."""
    end = tmp_path / "end"
    register(lake, "as long as the test", sys.executable, "-c", PROGRAM, str(end))
    job_id = launch(api, "as long as the test", new_data(api))
    wait_for_line(api, job_id, "ready")
    yield job_id
    end.touch()


def test_a_request_that_is_repeated_starts_one_job(lake: LakeProcess, api: LakeApi) -> None:
    """By its key, also when it comes at the same time, and of imports too; without a key each request is a new one."""
    register(lake, "quick", "true")
    data = new_data(api)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: try_launch(api, "quick", data, key="once").json()["id"], range(8)))
    path, body = f"/api/datalake/{api.datalake}/objects", {"datalake_id": api.datalake, "prefixes": ["none/"]}
    imports = [api.post(path, body, headers={"Idempotency-Key": "import"}).json()["job"]["id"] for _ in range(2)]

    assert len(set(answers)) == 1
    assert len(set(imports)) == 1
    assert len({launch(api, "quick", data) for _ in range(2)}) == 2
    assert try_launch(api, "quick", data, key="another").json()["id"] not in answers


def test_a_key_means_one_thing(lake: LakeProcess, api: LakeApi) -> None:
    """With the key of another request nothing is started: the answer names the job that was."""
    for name in ("one thing", "another thing"):
        register(lake, name, "true")
    data = new_data(api)
    first = try_launch(api, "one thing", data, key="of one thing").json()["id"]
    second = try_launch(api, "another thing", data, key="of one thing")
    too_long = try_launch(api, "one thing", data, key="k" * 256)

    other_data = try_launch(api, "one thing", new_data(api), key="of one thing")
    other_parameters = try_launch(api, "one thing", data, {"a": 1}, key="of one thing")

    for answer in (second, other_data, other_parameters):
        assert (answer.status_code, first in answer.json()["message"]) == (409, True)
    assert too_long.status_code == 422


def test_a_repeated_request_is_answered_though_it_could_not_start_any_more(lake: LakeProcess, api: LakeApi) -> None:
    """Its data, or the tag of its import, are gone since: the job that it started is what it asks for."""
    register(lake, "quick", "true")
    data = new_data(api)
    tag = api.post(f"/api/datalake/{api.datalake}/tags", {"name": f"tag {uuid4()}"}).json()["id"]
    path, body = f"/api/datalake/{api.datalake}/objects", {"prefixes": ["none/"], "tag_ids": [tag]}
    key = {"Idempotency-Key": str(uuid4())}
    key_of_launch = str(uuid4())
    launched = try_launch(api, "quick", data, key=key_of_launch)
    imported = api.post(path, body, headers=key)

    api.call("DELETE", f"/api/data/{data[0]}")
    assert api.call("DELETE", f"/api/tag/{tag}").status_code == 204

    assert try_launch(api, "quick", data, key=key_of_launch).json()["id"] == launched.json()["id"]
    assert api.post(path, body, headers=key).json()["job"]["id"] == imported.json()["job"]["id"]


def test_a_final_state_stays(api: LakeApi, job_id: str) -> None:
    """The same report again is fine; any other, and a kill, is a conflict that names both states."""
    path = f"/api/v2/job/{job_id}"

    running = api.post(f"{path}/running")
    reports = [api.post(f"{path}/succeed").status_code for _ in range(2)]
    others = [api.post(f"{path}/{report}") for report in ("running", "fail", "kill")]

    assert (running.status_code, running.json()["status"]) == (200, "RUNNING")
    assert reports == [200, 200]
    assert [answer.status_code for answer in others] == [409, 409, 409]
    assert "is SUCCEEDED: it cannot become FAILED" in others[1].json()["message"]
    assert get_job(api, job_id)["status"] == "SUCCEEDED"


def test_a_program_that_hangs_after_its_report_is_ended(own_lake: LakeProcess) -> None:
    """Its slot becomes free again; the reported end stays."""
    api = LakeApi(own_lake)
    register(own_lake, "long", sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(600)")
    data_ids = new_data(api)
    hanging = [launch(api, "long", data_ids) for _ in range(2)]
    for job_id in hanging:
        wait_for_line(api, job_id, "ready")
        api.post(f"/api/v2/job/{job_id}/succeed")

    third = launch(api, "long", data_ids)

    assert wait_for_line(api, third, "ready")
    assert [get_job(api, job_id)["status"] for job_id in hanging] == ["SUCCEEDED", "SUCCEEDED"]


def test_an_import_reports_for_itself(api: LakeApi) -> None:
    """Nobody else can."""
    job = api.post(f"/api/datalake/{api.datalake}/objects", {"prefixes": [f"none-{uuid4()}/"]}).json()["job"]

    answer = api.post(f"/api/v2/job/{finished(api, job['id'])['id']}/fail")

    assert answer.status_code == 409


def test_the_tail_of_a_log_is_its_last_lines_oldest_first(api: LakeApi, job_id: str) -> None:
    """Lines come with their part and time; the count is that of all lines."""
    path = f"/api/v2/job/{job_id}"
    for number in range(3):
        api.post(f"{path}/logging", {"line_nb": number, "log": f"line {number}\nmore", "part": "train", "final": False})

    tail = api.get(f"{path}/logs", params={"limit": 3}).json()

    assert [item["line"] for item in tail["items"]] == ["more", "line 2", "more"]
    assert {item["part"] for item in tail["items"]} == {"train"}
    assert tail["count"] == 7
    assert api.get(f"{path}/logs", params={"limit": 1001}).status_code == 422


def test_a_log_keeps_its_last_lines_and_cuts_long_ones(lake: LakeProcess, api: LakeApi) -> None:
    """A program that prints without end fills neither memory nor database; a redrawn line counts once."""
    code = "print('x' * 100_000)\nfor n in range(25_000): print(n)\nprint('1%\\r50%\\r100%', end='')"
    register(lake, "chatty", sys.executable, "-c", code)

    job = finished(api, launch(api, "chatty", new_data(api)))
    tail = api.get(f"/api/v2/job/{job['id']}/logs", params={"limit": 1000}).json()

    assert job["status"] == "SUCCEEDED"
    assert [item["line"] for item in tail["items"]] == [*(str(n) for n in range(24_001, 25_000)), "100%"]
    assert 10_001 <= tail["count"] <= 11_001


def test_a_long_line_is_cut(api: LakeApi, job_id: str) -> None:
    """At 8,192 characters, visibly."""
    api.post(f"/api/v2/job/{job_id}/logging", {"log": "é" * 10_000})

    assert log_lines(api, job_id)[-1] == "é" * 8192 + "…"


def test_a_saved_log_is_named(api: LakeApi, job_id: str) -> None:
    """The answer is the object's name; a name that no object can have is refused."""
    path = f"/api/v2/job/{job_id}/logging/save"

    assert api.post(path, {"logging_object_name": "logs/a.txt"}).json() == {"logging_object_name": "logs/a.txt"}
    assert api.post(path, {"logging_object_name": "../a.txt"}).status_code == 400


def test_a_payload_needs_its_signature(api: LakeApi, job_id: str) -> None:
    """The signed URL needs no token; no other URL works."""
    url = get_job(api, job_id)["processing_job"]["payload_presigned_url"]

    assert len(requests.get(url, timeout=10).json()["data_ids"]) == 1
    assert requests.get(url.partition("?")[0], timeout=10).status_code == 403
    assert requests.get(url.replace(job_id, str(uuid4())), timeout=10).status_code == 403


def test_an_unknown_job_is_named(api: LakeApi) -> None:
    """By every route that takes its id."""
    unknown = str(uuid4())
    answers = [
        api.get(f"/api/v2/job/{unknown}"),
        api.get(f"/api/v2/job/{unknown}/logs"),
        api.get(f"/api/organization/{api.organization}/jobv2s/find", params={"id": unknown}),
        *(api.post(f"/api/v2/job/{unknown}/{verb}") for verb in ("running", "succeed", "fail", "kill")),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert {answer.json()["message"] for answer in answers} == {f"no job with id {unknown}"}
