"""Tasks that wait for their job, whatever happens to them meanwhile."""

import os
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_lake.cli.main import main
from airflow_provider_lake.cli.sample_photos import make_photos
from tests.e2e.airflow_stack import AirflowStack
from tests.lake_process import LakeProcess

PROCESSING = "takes its time"
# Works until it is told that it is enough.
PATIENT = "import os, sys, time\nwhile not os.path.exists(sys.argv[1]): time.sleep(0.1)"
WAIT_SECONDS = 60


class PatientJob:
    """A processing of a test's own that works until told to end, and what the lake's table says of its jobs.

    They count as QUEUED until they end: the program does not report that it runs.

    :param name: of the processing, and the tag of the one data that it works on.
    """

    def __init__(self, lake: LakeProcess, name: str, folder: Path) -> None:
        self.lake = lake
        self.name = name
        self.enough = folder / "enough"
        command = [sys.executable, "-c", PATIENT, str(self.enough)]
        assert main(["processing", "register", "--data-dir", str(lake.data_dir), name, "--", *command]) == 0
        lake.client().get_datalake().upload_data(make_photos(folder / "photos", 1), tags=[name])
        self.before = _jobs(lake)

    @property
    def conf(self) -> dict[str, str]:
        """What a run of the DAGs is told."""
        return {"processing": self.name}

    def end(self) -> None:
        """Let the jobs end."""
        self.enough.touch()

    def states(self) -> list[str]:
        """Return the states of the jobs that were started since this was made."""
        with sqlite3.connect(self.lake.data_dir / "lake.db") as connection:
            rows = connection.execute("SELECT id, status FROM jobs ORDER BY created_at").fetchall()
        return [status for job_id, status in rows if job_id not in self.before]

    def await_states(self, *states: str) -> None:
        """Wait until the jobs are in these states."""
        end = time.monotonic() + WAIT_SECONDS
        while self.states() != list(states):
            assert time.monotonic() < end, f"jobs are {self.states()}, not {states}"
            time.sleep(0.1)


@pytest.fixture
def patient(lake: LakeProcess, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[PatientJob]:
    """Give a test a job that ends when it is told to."""
    job = PatientJob(lake, request.node.name, tmp_path)
    yield job
    job.end()


@pytest.fixture
def tag(lake: LakeProcess, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Register a slow processing, and give a photo a tag of the test's own."""
    command = [sys.executable, "-c", "import time; time.sleep(4)"]
    assert main(["processing", "register", "--data-dir", str(lake.data_dir), PROCESSING, "--", *command]) == 0
    name: str = request.node.name
    lake.client().get_datalake().upload_data(make_photos(tmp_path, 1), tags=[name])
    return name


def _jobs(lake: LakeProcess) -> set[str]:
    """Return the ids of all jobs that the lake has, straight from its table."""
    with sqlite3.connect(lake.data_dir / "lake.db") as connection:
        return {row[0] for row in connection.execute("SELECT id FROM jobs")}


@pytest.mark.every_airflow
@pytest.mark.parametrize("mode", ["here", "deferred"])
@pytest.mark.parametrize("fate", ["waits", "dies"])
def test_one_job_is_started_and_its_end_is_returned(
    airflow: AirflowStack, lake: LakeProcess, tag: str, fate: str, mode: str
) -> None:
    """Waiting on a worker or deferred, also when the process that waits is killed: one job, and the same summary.

    Below 3.3 Airflow keeps nothing that a retry could find the job by: it has the lake's answer to the same key. 3.0
    does not retry a killed task.
    """
    before = _jobs(lake)

    run = airflow.run_dag(f"lake_{fate}_{mode}", {"tag": tag})

    [task] = airflow.tasks(run)
    if fate == "dies" and airflow.version < (3, 1):
        assert (task["state"], task["try_number"]) == ("failed", 1)
        return
    assert (task["state"], task["try_number"]) == ("success", 2 if fate == "dies" else 1), airflow.log(run, "launch")
    [job] = _jobs(lake) - before
    summary = airflow.result(run, "launch")
    assert summary.pop("job_id").replace("-", "") == job
    assert summary == {
        "status": "SUCCEEDED",
        "progress": None,
        "datalake": "default",
        "processing": PROCESSING,
        "data_count": 1,
        "left_out": {},
    }


def test_a_triggerer_that_dies_loses_no_wait(airflow: AirflowStack, patient: PatientJob) -> None:
    """Its triggers go on in the next one: the same try, the same job."""
    run = airflow.start_dag("lake_deferred_keep", patient.conf)
    airflow.await_task(run, "launch", "deferred")
    patient.await_states("QUEUED")

    airflow.kill("triggerer")
    patient.end()
    patient.await_states("SUCCEEDED")
    airflow.restart("triggerer")

    assert airflow.await_end(run)["state"] == "success"
    assert [task["try_number"] for task in airflow.tasks(run)] == [1]
    assert patient.states() == ["SUCCEEDED"]


@pytest.mark.parametrize("cancel", ["cancel", "keep"])
@pytest.mark.parametrize("mode", ["here", "deferred"])
def test_a_task_that_is_marked_failed_kills_its_job_where_asked(
    airflow: AirflowStack, patient: PatientJob, mode: str, cancel: str
) -> None:
    """On a worker and deferred; otherwise the job goes on to its end."""
    run = airflow.start_dag(f"lake_{mode}_{cancel}", patient.conf)
    airflow.await_task(run, "launch", "deferred" if mode == "deferred" else "running")
    airflow.await_log(run, "launch", "Waiting: job")

    airflow.mark_failed(run, "launch")

    assert airflow.await_end(run)["state"] == "failed"
    if cancel == "keep":
        patient.end()
    patient.await_states("KILLED" if cancel == "cancel" else "SUCCEEDED")


def test_a_durable_task_whose_worker_shuts_down_leaves_its_job_alone(
    airflow: AirflowStack, patient: PatientJob
) -> None:
    """The task is ended as by a worker that drains: the job is not killed, although cancel_on_kill was asked for."""
    run = airflow.start_dag("lake_here_cancel", patient.conf)
    airflow.await_task(run, "launch", "running")
    # From here the task knows its job; the lake knows it a moment earlier.
    airflow.await_log(run, "launch", "Waiting: job")

    os.kill(airflow.await_task(run, "launch", "running")["pid"], signal.SIGTERM)
    airflow.await_log(run, "launch", "goes on: this task is not over")
    patient.end()

    assert airflow.await_end(run)["state"] == "success"
    assert patient.states() == ["SUCCEEDED"]


def test_a_finished_task_that_is_cleared_starts_another_job(airflow: AirflowStack, patient: PatientJob) -> None:
    """To clear means to do again."""
    patient.end()
    run = airflow.run_dag("lake_here_keep", patient.conf)
    first = airflow.result(run, "launch")

    airflow.clear(run, "launch")
    airflow.await_task(run, "launch", "success", try_number=2)

    assert patient.states() == ["SUCCEEDED", "SUCCEEDED"]
    assert airflow.result(run, "launch") | {"job_id": None} == first | {"job_id": None}
    assert airflow.result(run, "launch")["job_id"] != first["job_id"]


@pytest.mark.parametrize("mode", ["here", "deferred"])
def test_a_waiting_task_that_is_cleared_finds_its_job_again(
    airflow: AirflowStack, patient: PatientJob, mode: str
) -> None:
    """The job goes on, so there is nothing to start."""
    waiting = "deferred" if mode == "deferred" else "running"
    run = airflow.start_dag(f"lake_{mode}_keep", patient.conf)
    airflow.await_task(run, "launch", waiting)
    patient.await_states("QUEUED")

    airflow.clear(run, "launch")
    airflow.await_task(run, "launch", waiting, try_number=2)
    airflow.await_log(run, "launch", "Found again: job", try_number=2)
    patient.end()

    assert airflow.await_end(run)["state"] == "success"
    assert patient.states() == ["SUCCEEDED"]


def test_a_sensor_starts_in_the_triggerer(airflow: AirflowStack, lake: LakeProcess, patient: PatientJob) -> None:
    """With start_from_trigger no worker looks first; a mapped task begins on a worker, and waits as well."""
    datalake = lake.client().get_datalake()
    job = datalake.launch_processing(
        lake.client().get_processing(patient.name), datalake.list_data(tags=[patient.name])
    )
    run = airflow.start_dag("lake_from_trigger", {"job_id": str(job.id)})
    for task in ("wait", "wait_mapped/0"):
        airflow.await_task(run, task, "deferred")
    patient.end()

    assert airflow.await_end(run)["state"] == "success", airflow.log(run, "wait_mapped", map_index=0)
    summary = {"jobs": [{"job_id": str(job.id), "status": "SUCCEEDED", "progress": None}]}
    assert (airflow.result(run, "wait"), airflow.result(run, "wait_mapped", 0)) == (summary, summary)
