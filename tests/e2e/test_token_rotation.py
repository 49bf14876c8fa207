"""A token is rotated while a real Airflow waits and works."""

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_lake.cli.sample_photos import make_photos
from tests.e2e.airflow_stack import AirflowStack
from tests.e2e.held_job import HeldJob, hold_job
from tests.lake_process import LakeProcess
from tests.rotation import RotatedToken

NAME = "held through the rotation"
UPLOADS = 24


@pytest.fixture
def held(lake: LakeProcess, tmp_path: Path) -> Iterator[HeldJob]:
    """Give a test a processing whose jobs end when it says so."""
    held = hold_job(lake, tmp_path / "held", NAME)
    yield held
    held.end()


def test_what_waits_and_works_does_not_notice(
    airflow: AirflowStack, lake: LakeProcess, held: HeldJob, tmp_path: Path
) -> None:
    """Nineteen waits of every kind, and an upload: the old token is revoked, and all succeed at their first try."""
    token = RotatedToken(lake, "rotated")
    connection = {"connection_id": "lake_rotated", "conn_type": "lake", "host": lake.url}
    airflow.call("POST", "/connections", connection | {"password": token.old})
    folder = tmp_path / "photos"
    make_photos(folder, UPLOADS, seed=47)
    datalake = lake.client().get_datalake()
    job = datalake.launch_processing(lake.client().get_processing(NAME), datalake.list_data(tags=[NAME]))
    conf = {"name": NAME, "job_id": str(job.id), "coming": "comes later", "folder": str(folder)}
    run = airflow.start_dag("lake_rotation", conf)
    _await_waits(airflow, run, tmp_path / "uploading")

    airflow.call("PATCH", "/connections/lake_rotated?update_mask=password", connection | {"password": token.new})
    token.revoke_old()
    (tmp_path / "rotated").touch()
    datalake.upload_data(make_photos(tmp_path / "more", 1), tags=["comes later"])
    held.end()
    airflow.await_end(run)

    tasks = airflow.tasks(run)
    unlucky = [task["task_id"] for task in tasks if (task["state"], task["try_number"]) != ("success", 1)]
    assert unlucky == [], airflow.log(run, unlucky[0])[-4000:]
    assert len(tasks) == 21
    assert airflow.result(run, "upload")["uploaded"] == UPLOADS


def _await_waits(airflow: AirflowStack, run: dict[str, object], uploading: Path) -> None:
    """Wait until each task holds on to what it has learnt by the old token."""
    pause, states = threading.Event(), Counter[str]()
    begun: set[str] = set()
    for _ in range(600):
        tasks = airflow.tasks(run)
        failed = [task["task_id"] for task in tasks if task["state"] == "failed"]
        assert failed == [], airflow.log(run, failed[0])[-4000:]
        states = Counter(task["state"] for task in tasks)
        # Between two looks, a sensor that is rescheduled waits for a place among the running tasks.
        begun |= {task["task_id"] for task in tasks if task["state"] in {"running", "up_for_reschedule", "deferred"}}
        if states["deferred"] == 14 and len(begun) == len(tasks) == 21 and uploading.exists():
            return
        pause.wait(0.3)
    raise AssertionError(f"they do not wait: {states}")
