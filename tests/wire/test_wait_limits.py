"""Waits that Airflow itself ends, clears or resumes: nothing goes on unseen, nothing is waited for in vain."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from airflow.providers.common.compat.sdk import AirflowSensorTimeout, AirflowTaskTimeout
from airflow.sdk.exceptions import TaskDeferred
from airflow.sdk.execution_time.timeout import timeout

from airflow_provider_lake.cli.main import main
from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.client import Job
from airflow_provider_lake.exceptions import WaitTimeoutError
from airflow_provider_lake.operators.import_bucket import ImportBucketObjectsOperator
from airflow_provider_lake.operators.processing import LaunchProcessingOperator
from airflow_provider_lake.sensors.base import LakeSensor
from airflow_provider_lake.sensors.data import DataSensor
from airflow_provider_lake.sensors.job import JobSensor
from airflow_provider_lake.tasks.deadlines import TaskDeferralTimeout
from tests.lake_process import LakeProcess
from tests.tries import Tries
from tests.wire.job_calls import wait_for

TRIGGER_TIMEOUT = ("__fail__", {"error": "Trigger timeout"})


@pytest.fixture(autouse=True)
def data_ids(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """Give the tests a processing that takes long, and two photos."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())
    command = ["endless", "--", sys.executable, "-c", "import time; time.sleep(600)"]
    assert main(["processing", "register", "--data-dir", str(lake.data_dir), *command]) == 0
    datalake = lake.client().get_datalake()
    datalake.upload_data(make_photos(lake.data_dir.parent / "photos", 2), tags=["limits"])
    return [data.id for data in datalake.list_data(tags=["limits"])][:2]


def _operator(**options: Any) -> LaunchProcessingOperator:
    given: dict[str, Any] = {"tags": "limits", "poll_interval": 0.1, "deferrable": False} | options
    return LaunchProcessingOperator(task_id="launch", processing="endless", **given)


def _job(lake: LakeProcess, tries: Tries) -> Job:
    return lake.client().get_job_by_id(tries.state["lake_job"]["job_id"])


def _deferral(operator: Any, context: Any) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as raised:
        operator.execute(context)
    return raised.value


def _time_out(operator: LaunchProcessingOperator, tries: Tries) -> None:
    """Run a task as Airflow does that has an execution timeout, on a worker; it comes as soon as the job is known."""

    def ring() -> None:
        wait_for(lambda: "lake_job" in tries.state)
        os.kill(os.getpid(), signal.SIGALRM)

    alarm = threading.Thread(target=ring)
    alarm.start()
    with pytest.raises(AirflowTaskTimeout), timeout(60):
        operator.execute(tries.next())
    alarm.join()
    operator.on_kill()


@pytest.mark.parametrize("retries", [0, 2])
@pytest.mark.parametrize("kind", ["launch", "import"])
def test_an_execution_timeout_ends_the_job_where_asked(
    lake: LakeProcess, retries: int, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the task still counts as running, and whether or not another try follows."""
    tries = Tries(retries)
    tries.airflow_says = "running"
    operator: Any = _operator(cancel_on_kill=True)
    if kind == "import":
        # An import of nothing would end too soon: what is waited for is the same.
        other = ImportBucketObjectsOperator(task_id="import", prefixes="x/", cancel_on_kill=True, poll_interval=0.1)
        monkeypatch.setattr(other, "submit_job", operator.submit_job)
        operator = other
    _time_out(operator, tries)

    assert _job(lake, tries).status == "KILLED"


@pytest.mark.parametrize(("retries", "status"), [(0, "KILLED"), (1, "RUNNING")])
def test_a_moved_task_leaves_its_job_to_its_next_try_if_there_is_one(
    lake: LakeProcess, retries: int, status: str
) -> None:
    """A worker that is shut down ends a task without retries for good."""
    tries = Tries(retries)
    tries.airflow_says = "running"
    operator = _operator(cancel_on_kill=True, wait_for_completion=False)
    operator.execute(tries.next())

    operator.on_kill()

    job = _job(lake, tries)
    assert (job.status == "KILLED") == (status == "KILLED")
    job.kill() if not job.status.is_final else None


@pytest.mark.parametrize("deferrable", [True, False])
@pytest.mark.parametrize("cancel_on_kill", [True, False])
def test_a_cleared_task_ends_its_job_itself_where_asked(
    lake: LakeProcess, cancel_on_kill: bool, deferrable: bool
) -> None:
    """Its trigger may be told later that it was cleared, or never; otherwise the job is found again."""
    tries = Tries(0)
    _deferral(_operator(deferrable=True, cancel_on_kill=cancel_on_kill), tries.next())
    before = _job(lake, tries)
    tries.clear()

    again = _operator(deferrable=deferrable, cancel_on_kill=cancel_on_kill, wait_for_completion=False)
    now = lake.client().get_job_by_id(again.execute(tries.next())["job_id"])

    assert (before.refresh().status == "KILLED", before.id != now.id) == (cancel_on_kill, cancel_on_kill)
    assert not now.status.is_final
    now.kill()


class _Mapped(Sequence[Any]):
    """The results of a mapped task: their text does not tell them apart."""

    def __init__(self, *results: Any) -> None:
        self._results = results

    def __getitem__(self, place: Any) -> Any:
        return self._results[place]

    def __len__(self) -> int:
        return len(self._results)

    def __repr__(self) -> str:
        return "LazySelectSequence([1 item])"


def test_a_task_whose_mapped_upstream_was_cleared_too_starts_another_job(
    lake: LakeProcess, data_ids: list[UUID]
) -> None:
    """With other data; with the same it finds its job again, though the sequence is another object."""
    tries, jobs = Tries(), []
    for data_id in (data_ids[0], data_ids[0], data_ids[1]):
        summary = _Mapped({"datalake": "default", "uploaded": 1, "data_ids": [str(data_id)]})
        operator = _operator(tags=None, summary=summary, wait_for_completion=False)
        jobs.append(operator.execute(tries.next())["job_id"])
    for job_id in set(jobs):
        lake.client().get_job_by_id(job_id).kill()

    assert jobs[0] == jobs[1] != jobs[2]


@pytest.mark.parametrize(
    ("limits", "ends"),
    [({"timeout": 100}, 100), ({"execution_timeout": timedelta(seconds=50)}, 50), ({}, None)],
)
def test_a_wait_has_a_backstop_where_it_has_an_end(
    lake: LakeProcess, limits: dict[str, Any], ends: float | None
) -> None:
    """A minute later than the trigger's own deadline, for no triggerer may run."""
    tries = Tries()

    deferral = _deferral(_operator(deferrable=True, **limits), tries.next())
    _job(lake, tries).kill()

    assert (deferral.timeout is None) == (ends is None)
    if ends is not None and deferral.timeout is not None:
        assert ends + 40 < deferral.timeout.total_seconds() <= ends + 61


@pytest.mark.parametrize("cancel_on_kill", [True, False])
def test_a_wait_that_airflow_gives_up_knows_its_job(lake: LakeProcess, cancel_on_kill: bool) -> None:
    """By what is kept for other tries; without that, Airflow's own error stands."""
    tries = Tries()
    operator = _operator(deferrable=True, timeout=100, cancel_on_kill=cancel_on_kill)
    _deferral(operator, tries.next())

    with pytest.raises(WaitTimeoutError):
        operator.resume_execution(*TRIGGER_TIMEOUT, tries.next())
    job = _job(lake, tries)
    assert (job.status == "KILLED") == cancel_on_kill
    job.kill() if not job.status.is_final else None
    tries.state.clear()
    with pytest.raises(TaskDeferralTimeout):
        operator.resume_execution(*TRIGGER_TIMEOUT, tries.next())


@pytest.fixture(params=["job", "data"])
def sensor(request: pytest.FixtureRequest, lake: LakeProcess, data_ids: list[UUID]) -> Any:
    """Return a sensor that waits in vain, with an execution timeout shorter than its own."""
    options: dict[str, Any] = {
        "task_id": "wait",
        "deferrable": True,
        "poke_interval": 0.1,
        "timeout": 100,
        "execution_timeout": timedelta(seconds=1),
    }
    if request.param == "data":
        yield DataSensor(tags="never", **options)
        return
    job = lake.client().get_datalake().launch_processing(lake.client().get_processing("endless"), data_ids)
    yield JobSensor(job_id=str(job.id), **options)
    job.kill()


def test_an_execution_timeout_counts_while_a_sensor_is_deferred(sensor: LakeSensor) -> None:
    """As in poke mode: the same error, after the same time since the task started."""
    tries = Tries()

    deferral = _deferral(sensor, tries.next())
    began = datetime.now(UTC)

    async def first() -> Any:
        return (await anext(deferral.trigger.run())).payload

    event = asyncio.run(asyncio.wait_for(first(), 30))
    assert (datetime.now(UTC) - began).total_seconds() < 5
    with pytest.raises(AirflowTaskTimeout):
        sensor.resume_execution("execute_complete", {"event": event}, tries.next())
    with pytest.raises(AirflowTaskTimeout):
        sensor.resume_execution(*TRIGGER_TIMEOUT, tries.next())
    assert deferral.timeout is not None
    assert deferral.timeout.total_seconds() < 62


def test_the_sensors_own_timeout_stays_its_own(sensor: LakeSensor) -> None:
    """Where it is the shorter one."""
    sensor.timeout, sensor.execution_timeout = 0.2, timedelta(hours=1)

    with pytest.raises(AirflowSensorTimeout):
        sensor.resume_execution("execute_complete", {"event": {"status": "timeout", "message": ""}}, Tries().next())
