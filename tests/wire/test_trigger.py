"""The trigger against a real lake."""

import asyncio
import json
import sys
import time
from functools import partial
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException
from airflow.triggers.base import TriggerEvent

from airflow_provider_lake.cli.main import main
from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.client import JobFailedError, TransportError, UnauthorizedError
from airflow_provider_lake.exceptions import LakeDeadJobError, LakeTriggerError
from airflow_provider_lake.sensors.job import JobSensor
from airflow_provider_lake.triggers.job import JobTrigger
from tests.lake_process import LakeProcess


def _run(trigger: JobTrigger) -> dict[str, Any]:
    """Run a trigger until it fires, and return its event's payload."""

    async def first() -> TriggerEvent:
        return await anext(trigger.run())

    payload: dict[str, Any] = asyncio.run(first()).payload
    return payload


def _launch(lake: LakeProcess, program: str) -> str:
    """Start a job that runs a program on no particular data; return its id."""
    command = ["waits", "--", sys.executable, "-c", program]
    assert main(["processing", "register", "--data-dir", str(lake.data_dir), *command]) == 0
    datalake = lake.client().get_datalake()
    datalake.upload_data(make_photos(lake.data_dir.parent / "photos", 1)[0], tags=["trigger"])
    data = datalake.list_data(tags=["trigger"])
    return str(datalake.launch_processing(lake.client().get_processing("waits"), data).id)


@pytest.mark.quick
def test_it_fires_when_all_jobs_have_succeeded(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not at the first of them."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())
    jobs = [_launch(lake, "import time; time.sleep(1)"), _launch(lake, "pass")]

    payload = _run(JobTrigger(job_id=jobs, poll_interval=0.1))

    assert payload == {"status": "ended"}
    assert {str(lake.client().get_job_by_id(job).status) for job in jobs} == {"SUCCEEDED"}


def test_a_failed_job_is_told_at_once(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another still goes on."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())
    jobs = [_launch(lake, "import time; time.sleep(60)"), _launch(lake, "raise SystemExit(3)")]

    payload = _run(JobTrigger(job_id=jobs, poll_interval=0.1))

    going_on = lake.client().get_job_by_id(jobs[0])
    assert payload == {"status": "ended"}
    assert not going_on.status.is_final
    going_on.kill()


def test_a_refusal_ends_the_wait_at_once(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong token is said, and is the same error as on a worker: a retry may find another one in the connection."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection(password="wrong"))

    payload = _run(JobTrigger(job_id=["00000000-0000-4000-8000-000000000000"], poll_interval=0.1))

    assert payload["status"] == "outage"
    assert "API token" in payload["message"]
    with pytest.raises(UnauthorizedError, match="API token"):
        JobSensor(task_id="wait", job_id="x").execute_complete({}, payload)


def test_an_outage_within_the_budget_is_waited_out(own_lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lake ends while the trigger waits, and comes back: the wait goes on."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", own_lake.connection())
    job = _launch(own_lake, "pass")
    own_lake.client().get_job_by_id(job).wait_for_done(0.1, 200)
    own_lake.stop()

    async def wait() -> dict[str, str]:
        event = asyncio.ensure_future(anext(JobTrigger(job_id=[job], poll_interval=0.1).run()))
        await asyncio.to_thread(own_lake.start)
        payload: dict[str, str] = (await event).payload
        return payload

    assert asyncio.run(wait()) == {"status": "ended"}


def test_an_outage_beyond_the_budget_is_said(own_lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """As something that a retry of the task may mend."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", own_lake.connection())
    own_lake.stop()

    payload = _run(JobTrigger(job_id=["00000000-0000-4000-8000-000000000000"], poll_interval=0.1, outage_budget=0.0))

    assert payload["status"] == "outage"
    assert str(own_lake.port) in payload["message"]
    with pytest.raises(TransportError, match=str(own_lake.port)):
        JobSensor(task_id="wait", job_id="x").execute_complete({}, payload)


@pytest.mark.parametrize("event", [None, {}, {"status": "success"}, json.loads("[]")])
def test_an_unknown_event_is_no_success(event: object) -> None:
    """A sensor resumes only on what its own trigger says."""
    with pytest.raises(LakeTriggerError, match="unexpected event"):
        JobSensor(task_id="wait", job_id="x").execute_complete({}, event)  # type: ignore[arg-type]  # the wrong is the point


def test_a_sensor_bears_an_outage_within_its_budget(own_lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not done yet; once the lake is back, it is."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", own_lake.connection())
    job = _launch(own_lake, "pass")
    own_lake.client().get_job_by_id(job).wait_for_done(0.1, 200)
    sensor = JobSensor(task_id="wait", job_id=job, outage_budget=600)
    sensor.hook.client  # noqa: B018 - connects while the lake is there

    own_lake.stop()
    during = sensor.poke({})
    own_lake.start()
    after = sensor.poke({})

    assert not during.is_done
    assert after.is_done
    assert after.xcom_value == {"jobs": [{"job_id": job, "status": "SUCCEEDED", "progress": None}]}


def test_a_sensor_gives_up_beyond_its_budget(own_lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the client's error, so that a retry of the task applies."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", own_lake.connection())
    own_lake.stop()

    with pytest.raises(TransportError):
        JobSensor(task_id="wait", job_id="00000000-0000-4000-8000-000000000000", outage_budget=0).poke({})


@pytest.mark.parametrize(
    ("soft_fail", "never_fail", "is_skipped"), [(False, False, False), (True, False, True), (False, True, True)]
)
@pytest.mark.parametrize("mode", ["poke", "first look", "resumed"])
def test_a_dead_job_skips_where_asked_in_every_mode(
    lake: LakeProcess,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    soft_fail: bool,
    never_fail: bool,
    is_skipped: bool,
) -> None:
    """Poking, at the first look before deferring, and after the trigger has fired."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())
    job = _launch(lake, "raise SystemExit(3)")
    with pytest.raises(JobFailedError):
        lake.client().get_job_by_id(job).wait_for_done(0.1, 200)
    sensor = JobSensor(
        task_id="wait", job_id=job, deferrable=mode != "poke", soft_fail=soft_fail, never_fail=never_fail
    )

    run = partial(sensor.execute_complete, event={"status": "ended"}) if mode == "resumed" else sensor.execute

    with pytest.raises(AirflowSkipException if is_skipped else LakeDeadJobError, match=None if is_skipped else job):
        run({})


def test_a_refusal_skips_where_never_failing_was_asked_for() -> None:
    """As soft_fail does; an outage skips only under never_fail, as any unforeseen error does while poking."""
    soft = JobSensor(task_id="soft", job_id="x", soft_fail=True)
    never = JobSensor(task_id="never", job_id="x", never_fail=True)
    for sensor, status, error in (
        (soft, "refused", AirflowSkipException),
        (never, "refused", AirflowSkipException),
        (soft, "outage", TransportError),
        (never, "outage", AirflowSkipException),
    ):
        event = {"status": status, "message": "why", "error": "TransportError", "arguments": ["why", False]}
        with pytest.raises(error):
            sensor.execute_complete({}, event)


@pytest.mark.parametrize("cancel_on_kill", [True, False])
def test_a_killed_trigger_ends_its_job_where_asked(
    lake: LakeProcess, monkeypatch: pytest.MonkeyPatch, cancel_on_kill: bool
) -> None:
    """A job that has ended by itself is left as it is, and one that nobody knows does no harm."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())
    ended, going_on = _launch(lake, "pass"), _launch(lake, "import time; time.sleep(60)")
    lake.client().get_job_by_id(ended).wait_for_done(0.1, 200)
    unknown = "00000000-0000-4000-8000-000000000000"

    asyncio.run(JobTrigger(job_id=[unknown, ended, going_on], cancel_on_kill=cancel_on_kill).on_kill())

    states = [str(lake.client().get_job_by_id(job).status) for job in (ended, going_on)]
    assert states[0] == "SUCCEEDED"
    assert (states[1] == "KILLED") == cancel_on_kill
    if not cancel_on_kill:
        lake.client().get_job_by_id(going_on).kill()


def test_a_deadline_ends_the_wait(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a moment, so a triggerer that starts again does not begin to count anew."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())
    job = _launch(lake, "import time; time.sleep(60)")

    payload = _run(JobTrigger(job_id=job, poll_interval=0.1, deadline=time.time() + 0.5))

    assert payload["status"] == "timeout"
    lake.client().get_job_by_id(job).kill()
