"""What becomes of a sensor, whatever happens to its jobs and its lake: the same in every mode, as one table."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSensorTimeout, AirflowSkipException
from airflow.sdk.exceptions import AirflowRescheduleException, TaskDeferred
from airflow.triggers.base import TriggerEvent

from airflow_provider_lake.cli.main import main
from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.client import JobError, TransportError, UnauthorizedError
from airflow_provider_lake.exceptions import LakeDeadJobError, LakePermanentError, LakeTriggerError
from airflow_provider_lake.sensors.job import JobSensor
from airflow_provider_lake.tasks import jobs
from airflow_provider_lake.triggers.polling import schedule as poller_schedule
from tests.lake_process import LakeProcess
from tests.tries import Tries

UNKNOWN = "00000000-0000-4000-8000-000000000000"
MAX_POKES = 1000
SKIPPED = AirflowSkipException
PLAIN: dict[str, bool] = {}
SOFT = {"soft_fail": True}
NEVER = {"never_fail": True}
# What happens, and what is raised: plain, under soft_fail, under never_fail.
TABLE: dict[str, tuple[type[Exception], type[Exception], type[Exception]]] = {
    "the job failed": (LakeDeadJobError, SKIPPED, SKIPPED),
    "the job was killed": (LakeDeadJobError, SKIPPED, SKIPPED),
    "there is no such job": (LakePermanentError, SKIPPED, SKIPPED),
    "the token is refused": (UnauthorizedError, UnauthorizedError, SKIPPED),
    "the lake is silent for too long": (TransportError, TransportError, SKIPPED),
    "the job takes too long": (AirflowSensorTimeout, SKIPPED, SKIPPED),
}
# What can happen to a deferred task only.
DEFERRED: dict[str, tuple[type[Exception], type[Exception], type[Exception]]] = {
    "Airflow gives up the trigger": (AirflowSensorTimeout, SKIPPED, SKIPPED),
    "the event is unknown": (LakeTriggerError, LakeTriggerError, SKIPPED),
}


@dataclass(frozen=True)
class Jobs:
    """Jobs of one lake, one for each fate."""

    failed: str
    killed: str
    running: str


@pytest.fixture(scope="module")
def fates(lake: LakeProcess) -> Iterator[Jobs]:
    """Start the jobs."""
    datalake = lake.client().get_datalake()
    datalake.upload_data(make_photos(lake.data_dir.parent / "photos", 1)[0], tags=["outcomes"])
    data = datalake.list_data(tags=["outcomes"])

    def launch(name: str, program: str) -> Any:
        command = [name, "--", sys.executable, "-c", program]
        assert main(["processing", "register", "--data-dir", str(lake.data_dir), *command]) == 0
        return datalake.launch_processing(lake.client().get_processing(name), data)

    failing, dying, running = (
        launch("fails", "raise SystemExit(3)"),
        launch("dies", "import time; time.sleep(600)"),
        launch("goes on", "import time; time.sleep(600)"),
    )
    dying.kill()
    with pytest.raises(JobError):
        failing.wait_for_done(0.1, 600)
    yield Jobs(str(failing.id), str(dying.id), str(running.id))
    running.kill()


@pytest.fixture
def sensor(fates: Jobs, lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> Callable[..., JobSensor]:
    """Return what makes the sensor to which something happens."""
    # Unknown jobs are given no time here, and there is no lake on that port.
    monkeypatch.setattr(jobs, "MISSING_GRACE_SECONDS", 0.0)
    monkeypatch.setattr(poller_schedule, "MISSING_GRACE_SECONDS", 0.0)
    monkeypatch.setenv("AIRFLOW_CONN_GOOD", lake.connection())
    monkeypatch.setenv("AIRFLOW_CONN_WRONG_TOKEN", lake.connection(password="wrong-token"))
    monkeypatch.setenv("AIRFLOW_CONN_NO_LAKE", lake.connection(host="http://127.0.0.1:9"))
    happens: dict[str, dict[str, Any]] = {
        "the job failed": {"job_id": fates.failed},
        "the job was killed": {"job_id": fates.killed},
        "there is no such job": {"job_id": UNKNOWN},
        "the token is refused": {"job_id": fates.running, "lake_conn_id": "wrong_token"},
        "the lake is silent for too long": {"job_id": UNKNOWN, "lake_conn_id": "no_lake", "outage_budget": 0.0},
        "the job takes too long": {"job_id": fates.running, "timeout": 0.5},
    }

    def make(case: str, **options: Any) -> JobSensor:
        arguments: dict[str, Any] = {"lake_conn_id": "good", "poke_interval": 0.1} | happens.get(
            case, {"job_id": fates.running}
        )
        return JobSensor(task_id="wait", **arguments, **options)

    return make


def _poke(make: Callable[..., JobSensor], tries: Tries) -> None:
    make(deferrable=False).execute(tries.next())


def _reschedule(make: Callable[..., JobSensor], tries: Tries) -> None:
    """Poke in one process after the other: nothing but Airflow's own store goes from one to the next."""
    for _ in range(MAX_POKES):
        try:
            make(deferrable=False, mode="reschedule").execute(tries.next())
        except AirflowRescheduleException:
            continue
        return
    raise AssertionError("it pokes for ever")


def _defer(make: Callable[..., JobSensor], tries: Tries) -> None:
    """Defer, also where the first look on the worker could tell; run the trigger; resume."""
    trigger = _defer_unseen(make, tries)

    async def first() -> TriggerEvent:
        return await anext(trigger.run())

    event = asyncio.run(first()).payload
    make(deferrable=True).resume_execution("execute_complete", {"event": event}, tries.next())


def _defer_unseen(make: Callable[..., JobSensor], tries: Tries) -> Any:
    from airflow_provider_lake.triggers.job import JobTrigger

    sensor = make(deferrable=True)
    try:
        sensor.execute(tries.next())
    except TaskDeferred as deferral:
        return deferral.trigger
    except Exception:  # noqa: BLE001 - what the first look sees, the trigger is to see as well
        return JobTrigger(
            job_id=sensor.job_id,
            lake_conn_id=sensor.lake_conn_id,
            poll_interval=sensor.poke_interval,
            outage_budget=sensor.outage_budget,
        )
    raise AssertionError("the jobs have succeeded")


@pytest.mark.parametrize("mode", [_poke, _reschedule, _defer], ids=["poke", "reschedule", "deferred"])
@pytest.mark.parametrize("flag", [PLAIN, SOFT, NEVER], ids=["plain", "soft_fail", "never_fail"])
@pytest.mark.parametrize("case", TABLE)
def test_the_outcome_is_the_same_in_every_mode(
    sensor: Callable[..., JobSensor],
    case: str,
    flag: dict[str, bool],
    mode: Callable[[Callable[..., JobSensor], Tries], None],
) -> None:
    """As the table says."""
    expected = TABLE[case][[PLAIN, SOFT, NEVER].index(flag)]

    with pytest.raises(expected) as raised:
        mode(lambda **options: sensor(case, **flag, **options), Tries())
    assert type(raised.value) is expected


@pytest.mark.parametrize("flag", [PLAIN, SOFT, NEVER], ids=["plain", "soft_fail", "never_fail"])
@pytest.mark.parametrize("case", DEFERRED)
def test_what_only_a_deferred_task_meets_ends_as_its_like(
    sensor: Callable[..., JobSensor], case: str, flag: dict[str, bool]
) -> None:
    """Airflow's own timeout is a timeout; an event of nobody's is an error that is none of the lake's."""
    expected = DEFERRED[case][[PLAIN, SOFT, NEVER].index(flag)]
    resumed = sensor(case, deferrable=True, **flag)
    resumptions: dict[str, tuple[str, dict[str, Any]]] = {
        "Airflow gives up the trigger": ("__fail__", {"error": "Trigger timeout"}),
        "the event is unknown": ("execute_complete", {"event": {"status": "success"}}),
    }

    with pytest.raises(expected) as raised:
        resumed.resume_execution(*resumptions[case], Tries().next())
    assert type(raised.value) is expected
