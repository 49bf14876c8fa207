"""Processings on a real lake: programs of all kinds, from launch to end."""

import json
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from tests.lake_process import LakeProcess
from tests.wire.job_calls import (
    finished,
    get_job,
    is_alive,
    launch,
    log_lines,
    new_data,
    register,
    wait_for,
    wait_for_line,
)
from tests.wire.lake_api import LakeApi

# What every program here begins with: calls of the API with nothing but the standard library.
CALLS = """
import json, os, sys, time
from urllib.request import Request, urlopen

def call(method, url, body=None):
    headers = {"Authorization": "Bearer " + os.environ["api_token"], "Content-Type": "application/json"}
    content = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url, content, headers, method=method)) as answer:
        return json.load(answer)

job_url = os.environ["host"] + "/api/v2/job/" + os.environ["job_id"]
"""

Launcher = Callable[..., str]


@pytest.fixture
def run(lake: LakeProcess, api: LakeApi) -> Launcher:
    """Launch a Python program as a processing."""
    return partial(run_program, lake, api)


def run_program(
    lake: LakeProcess, api: LakeApi, code: str, data_ids: list[str] | None = None, **parameters: object
) -> str:
    """Register a Python program, launch it, and return the id of its job."""
    name = f"program {uuid4()}"
    register(lake, name, sys.executable, "-c", CALLS + code)
    return launch(api, name, data_ids or new_data(api), parameters)


def test_a_program_that_ends_well_has_succeeded(api: LakeApi, run: Launcher) -> None:
    """Exit code 0 is enough; its output is the job's log, standard error included, in order."""
    job = finished(
        api,
        run(
            "print('one')\nprint('two', file=sys.stderr, flush=True)\nprint('três')",
        ),
    )

    assert (job["type"], job["status"], job["error"]) == ("PROCESSING", "SUCCEEDED", None)
    assert job["created_at"] <= job["started_at"] <= job["finished_at"]
    assert sorted(log_lines(api, job["id"])) == ["one", "três", "two"]


def test_a_program_that_fails_says_why(api: LakeApi, run: Launcher) -> None:
    """The job's error is the exit code and the last line of the log."""
    job = finished(api, run("print('no such model: yolo')\nsys.exit(3)"))

    assert (job["status"], job["error"]) == ("FAILED", "exit code 3: no such model: yolo")


def test_a_program_that_dies_of_a_signal_has_failed(api: LakeApi, run: Launcher) -> None:
    """The error names the signal."""
    job = finished(api, run("os.kill(os.getpid(), 11)"))

    assert (job["status"], job["error"]) == ("FAILED", "ended by SIGSEGV")


def test_a_program_that_does_not_exist_has_failed(lake: LakeProcess, api: LakeApi) -> None:
    """The error names the command."""
    register(lake, "missing program", "/nowhere/program")

    job = finished(api, launch(api, "missing program", new_data(api)))

    assert job["status"] == "FAILED"
    assert "/nowhere/program" in job["error"]


def test_a_program_finds_its_work_and_reports_by_itself(api: LakeApi, run: Launcher) -> None:
    """It is told where the lake is, asks for its job, gets its data ids and parameters, logs, and reports its end."""
    data_ids = new_data(api, 2)
    code = """
call("POST", job_url + "/running", {})
found = call("GET", os.environ["host"] + "/api/organization/" + os.environ["organization_id"]
             + "/jobv2s/find?id=" + os.environ["job_id"])
task = call("GET", job_url)["processing_job"]
with urlopen(task["payload_presigned_url"]) as answer:
    payload = json.load(answer)
line = json.dumps([found["status"], task["target_id"], task["parameters"], payload])
call("POST", job_url + "/logging", {"line_nb": 1, "log": line, "final": False, "part": "work", "special": False})
call("POST", job_url + "/succeed", {})
sys.exit(1)
"""

    job = finished(api, run(code, data_ids, threshold=0.5))
    items = api.get(f"/api/v2/job/{job['id']}/logs").json()["items"]

    assert (job["status"], job["error"]) == ("SUCCEEDED", None)
    assert [item["part"] for item in items] == ["work"]
    assert items[0]["line"] == (
        f'["RUNNING", "{api.datalake}", {{"threshold": 0.5}}, {{"data_ids": ["{data_ids[0]}", "{data_ids[1]}"]}}]'
    )


def test_a_reported_failure_outweighs_exit_code_0(api: LakeApi, run: Launcher) -> None:
    """The error has the last line of the log, once the program has ended."""
    job_id = run("print('half of it is missing', flush=True)\ntime.sleep(1)\ncall('POST', job_url + '/fail', {})")

    job = wait_for(lambda: job if (job := finished(api, job_id))["error"] else None)

    assert (job["status"], job["error"]) == ("FAILED", "reported as failed: half of it is missing")


def test_a_program_sees_a_clean_environment_of_its_own(
    api: LakeApi, run: Launcher, lake: LakeProcess, tmp_path: Path
) -> None:
    """It gets what programs need and its four variables, a folder that is removed, and a token that ends with it."""
    kept = tmp_path / "environment"
    code = f"""
import pathlib
pathlib.Path("scratch").write_text("x")
pathlib.Path({str(kept)!r}).write_text(json.dumps([dict(os.environ), os.getcwd(), os.getpgid(0) == os.getpid()]))
"""
    finished(api, run(code))
    environ, folder, leads_group = json.loads(kept.read_text())

    assert set(environ) - {"LC_CTYPE"} <= {
        *("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH"),
        *("REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE", "PWD"),
        *(name for name in os.environ if name.startswith("LC_")),
        *("api_token", "organization_id", "host", "job_id"),
    }
    assert (environ["host"], environ["organization_id"]) == (lake.url, api.organization)
    assert environ["api_token"] != lake.token
    assert leads_group
    assert not Path(folder).exists()
    headers = {"Authorization": f"Bearer {environ['api_token']}"}
    assert wait_for(lambda: requests.get(f"{lake.url}/api/home/ping", headers=headers, timeout=10).status_code == 401)


def test_a_jobs_token_is_good_for_its_own_job_only(api: LakeApi, run: Launcher) -> None:
    """Reports and logs about another job are forbidden to it; reading is not."""
    other = run("print('ready', flush=True)\ntime.sleep(600)")
    code = f"""
from urllib.error import HTTPError
other_url = os.environ["host"] + "/api/v2/job/{other}"
print(call("GET", other_url)["id"])
for path in "/running", "/succeed", "/fail", "/kill", "/logging", "/logging/save":
    try:
        call("POST", other_url + path, {{"log": "x", "logging_object_name": "x"}})
    except HTTPError as error:
        print(error.code)
"""
    wait_for_line(api, other, "ready")

    job = finished(api, run(code))
    api.post(f"/api/v2/job/{other}/kill")

    assert log_lines(api, job["id"]) == [other, *["403"] * 6]


STUBBORN = """
import signal, subprocess
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen(["sleep", "600"])
print("pids", os.getpid(), child.pid, flush=True)
time.sleep(600)
"""


def test_a_kill_ends_the_program_and_what_it_started(api: LakeApi, run: Launcher) -> None:
    """Also where it ignores SIGTERM; the job is KILLED at once, and stays so."""
    job_id = run(STUBBORN)
    pids = [int(pid) for pid in wait_for_line(api, job_id, "pids").split()]

    killed = api.post(f"/api/v2/job/{job_id}/kill").json()

    assert killed["status"] == "KILLED"
    assert wait_for(lambda: not any(is_alive(pid) for pid in pids))
    assert get_job(api, job_id)["status"] == "KILLED"


def test_a_stopped_lake_leaves_no_program_behind(own_lake: LakeProcess) -> None:
    """What the program did is unknown, so its job has failed; the lake ends with exit code 0."""
    api = LakeApi(own_lake)
    job_id = run_program(own_lake, api, STUBBORN)
    pids = [int(pid) for pid in wait_for_line(api, job_id, "pids").split()]

    code = own_lake.stop()
    ended = wait_for(lambda: not any(is_alive(pid) for pid in pids))
    own_lake.start()

    assert (code, ended) == (0, True)
    job = get_job(api, job_id)
    assert (job["status"], job["error"]) == ("FAILED", "the lake stopped while the processing ran")


def test_a_killed_lake_takes_up_its_jobs_again(own_lake: LakeProcess, tmp_path: Path) -> None:
    """Their programs end with it; one never heard of starts again, the other has failed; tokens of both are void."""
    api = LakeApi(own_lake)
    heard = run_program(
        own_lake, api, "print('pid', os.getpid(), os.environ['api_token'], flush=True)\ntime.sleep(600)"
    )
    started = tmp_path / "started"
    silent = run_program(
        own_lake,
        api,
        f"""
if os.path.exists({str(started)!r}):
    sys.exit(0)
with open({str(started)!r}, "w") as file:
    file.write(str(os.getpid()))
time.sleep(600)
""",
    )
    pid, token = wait_for_line(api, heard, "pid").split()
    silent_pid = wait_for(lambda: started.read_text() if started.exists() else None)
    status = get_job(api, silent)["status"]

    own_lake.stop(signal.SIGKILL)
    ended = wait_for(lambda: not is_alive(int(pid)) and not is_alive(int(silent_pid)))
    own_lake.start()

    assert (status, ended) == ("QUEUED", True)
    job = get_job(api, heard)
    assert (job["status"], job["error"]) == ("FAILED", "the lake ended while the processing ran")
    assert finished(api, silent)["status"] == "SUCCEEDED"
    answer = requests.get(f"{own_lake.url}/api/home/ping", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert answer.status_code == 401


def test_more_jobs_than_slots_wait_for_their_turn(own_lake: LakeProcess) -> None:
    """The oldest first; a waiting one can be killed and never runs."""
    api = LakeApi(own_lake)
    data_ids = new_data(api)
    running = [run_program(own_lake, api, "print('ready', flush=True)\ntime.sleep(600)", data_ids) for _ in range(2)]
    waiting = [run_program(own_lake, api, "print('ran')", data_ids) for _ in range(2)]
    for job_id in running:
        wait_for_line(api, job_id, "ready")

    statuses = [get_job(api, job_id)["status"] for job_id in waiting]
    for job_id in (waiting[0], *running):
        api.post(f"/api/v2/job/{job_id}/kill")

    assert statuses == ["PENDING", "PENDING"]
    assert finished(api, waiting[1])["status"] == "SUCCEEDED"
    killed = get_job(api, waiting[0])
    assert (killed["status"], killed["started_at"], log_lines(api, waiting[0])) == ("KILLED", None, [])


def test_a_processing_needs_a_command_and_data(api: LakeApi) -> None:
    """Each refusal names what is missing, and how to get it."""
    name = f"auto {uuid4()}"
    processing = api.post(f"/api/organization/{api.organization}/processings", {"name": name}).json()
    data_ids, unknown = new_data(api), str(uuid4())
    path = f"/api/datalake/{api.datalake}/processing/launch"

    no_command = api.post(path, {"processing_id": processing["id"], "data_ids": data_ids})
    no_processing = api.post(path, {"processing_id": unknown, "data_ids": data_ids})
    no_such_data = api.post(path, {"processing_id": processing["id"], "data_ids": [*data_ids, unknown]})
    no_data = api.post(path, {"processing_id": processing["id"], "data_ids": []})

    assert no_command.status_code == 409
    assert f"lake processing register '{name}' -- COMMAND" in no_command.json()["message"]
    assert (no_processing.status_code, unknown in no_processing.json()["message"]) == (404, True)
    assert (no_such_data.status_code, unknown in no_such_data.json()["message"]) == (404, True)
    assert no_data.status_code == 400


def test_processings_are_created_found_changed_and_deleted(api: LakeApi) -> None:
    """A change touches only what is sent; a taken name is a conflict."""
    name = f"segmentation {uuid4()}"
    path = f"/api/organization/{api.organization}/processings"
    body = {"name": name, "target": "DATALAKE", "default_cpu": 2, "default_parameters": {"a": 1}, "docker_image": "img"}

    created = api.post(path, body)
    again = api.post(path, body)
    found = api.get(f"{path}/find", params={"name": name})
    public = api.get("/api/processings/public/find", params={"name": name})
    changed = api.call("PATCH", f"/api/processing/{created.json()['id']}", json={"description": "cuts out"})
    listed = api.get(path, params={"limit": 1000}).json()

    assert (created.status_code, again.status_code) == (201, 409)
    assert found.json() == public.json() == created.json()
    assert changed.json() == created.json() | {"description": "cuts out"}
    assert changed.json() in listed["items"]
    assert listed["count"] == len(listed["items"])
    deleted = api.call("DELETE", f"/api/processing/{created.json()['id']}")
    gone = api.get(f"{path}/find", params={"name": name})
    assert (deleted.status_code, gone.status_code, name in gone.json()["message"]) == (204, 404, True)
