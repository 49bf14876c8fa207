"""What a task's log says of jobs that succeed, and of waits in which nothing happens."""

import asyncio
import sys
import threading
from collections.abc import Callable
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowRescheduleException, TaskDeferred

from airflow_provider_lake.cli.main import main
from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.operators.base import LakeOperator
from airflow_provider_lake.operators.processing import LaunchProcessingOperator
from airflow_provider_lake.sensors.job import JobSensor
from airflow_provider_lake.tasks import heartbeat
from airflow_provider_lake.triggers.data import DataTrigger, LakeDataTrigger
from tests.lake_process import LakeProcess
from tests.tries import Tries

HELD = "import os, sys, time\nwhile not os.path.exists(sys.argv[1]): time.sleep(0.05)"
CHATTY = "for number in range(9): print('line', number)"
LAST = "The last 5 lines of the log of job {}:\nline 4\nline 5\nline 6\nline 7\nline 8"


class Log:
    """Keeps what is said, where Airflow has a task's log."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.is_told = threading.Event()

    def info(self, line: str, *values: object) -> None:
        """Keep a line."""
        self.lines.append(line % values if values else line)
        if line.startswith("Still waiting"):
            self.is_told.set()

    warning = error = debug = info


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    """Keep what every task and trigger says; what takes ten minutes elsewhere takes a moment here."""
    log = Log()
    monkeypatch.setattr(heartbeat, "HEARTBEAT_SECONDS", 0.3)
    for kind in (LakeOperator, JobSensor, DataTrigger, LakeDataTrigger):
        monkeypatch.setattr(kind, "log", log, raising=False)
    monkeypatch.setattr("airflow_provider_lake.triggers.job.JobTrigger.log", log)
    return log


@pytest.fixture(autouse=True)
def end_file(lake: LakeProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the tests a processing that says something and one that ends when this file is there."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())
    for name, *program in (("chatty", CHATTY), ("held", HELD, str(tmp_path / "end"))):
        command = [name, "--", sys.executable, "-c", *program]
        assert main(["processing", "register", "--data-dir", str(lake.data_dir), *command]) == 0
    lake.client().get_datalake().upload_data(make_photos(tmp_path, 1), tags=["life"])
    return tmp_path / "end"


def _launch(processing: str, **options: Any) -> LaunchProcessingOperator:
    given: dict[str, Any] = {"tags": "life", "poll_interval": 0.1, "deferrable": False} | options
    return LaunchProcessingOperator(task_id="launch", processing=processing, **given)


def _resume(task: Any, tries: Tries) -> Any:
    """Run a deferrable task to its end."""
    try:
        return task.execute(tries.next())
    except TaskDeferred as deferral:
        event = asyncio.run(_first(deferral.trigger))
    return task.resume_execution("execute_complete", {"event": event}, tries.next())


async def _first(trigger: Any) -> Any:
    return (await anext(trigger.run())).payload


def _sensor(job_id: str, **options: Any) -> JobSensor:
    return JobSensor(task_id="wait", job_id=job_id, poke_interval=0.1, timeout=60, **options)


def _reschedule(job_id: str, tries: Tries) -> None:
    for _ in range(600):
        with suppress(AirflowRescheduleException):
            _sensor(job_id, mode="reschedule").execute(tries.next())
            return
        threading.Event().wait(0.1)


MODES: dict[str, Callable[[str], object]] = {
    "operator": lambda _: _launch("chatty").execute(Tries().next()),
    "operator, deferred": lambda _: _resume(_launch("chatty", deferrable=True), Tries()),
    "sensor": lambda job_id: _sensor(job_id).execute(Tries().next()),
    "sensor, rescheduled": lambda job_id: _reschedule(job_id, Tries()),
    "sensor, deferred": lambda job_id: _resume(_sensor(job_id, deferrable=True), Tries()),
}


@pytest.mark.parametrize("mode", MODES)
def test_the_end_of_a_jobs_output_reaches_the_tasks_log(log: Log, mode: str) -> None:
    """Once, the same in every mode."""
    job_id = _launch("chatty", wait_for_completion=False).execute(Tries().next())["job_id"]
    log.lines.clear()

    MODES[mode](job_id)

    found = [line for line in log.lines if line.startswith("The last ")]
    expected = job_id if "sensor" in mode else next(line.split()[2] for line in log.lines if line.startswith("Done"))
    assert found == [LAST.format(expected)]


def test_odd_output_does_no_harm_to_the_tasks_log(log: Log, lake: LakeProcess) -> None:
    """Colours are left out, other control characters are shown, and very long lines are cut."""
    program = r"print('\x1b[31mred\x1b[0m\x07\tend'); print('x' * 5000)"
    command = ["odd", "--", sys.executable, "-c", program]
    assert main(["processing", "register", "--data-dir", str(lake.data_dir), *command]) == 0

    _launch("odd").execute(Tries().next())

    [said] = [line for line in log.lines if line.startswith("The last ")]
    assert said.splitlines()[1:] == ["red\\x07 end", f"{'x' * 1000}… (5,000 characters)"]


def test_a_wait_on_a_worker_says_that_it_goes_on(log: Log, end_file: Path) -> None:
    """Though the next look at the job is far away."""
    operator = _launch("held", poll_interval=3600)
    waiting = threading.Thread(target=lambda: operator.execute(Tries().next()), daemon=True)
    waiting.start()

    assert log.is_told.wait(60)
    end_file.touch()
    waiting.join(60)

    assert any(line.startswith("Still waiting: job ") for line in log.lines)
    assert not waiting.is_alive()


def test_deferred_waits_say_that_they_go_on(log: Log, end_file: Path, lake: LakeProcess) -> None:
    """For jobs, for data and for what arrives."""
    job_id = _launch("held", wait_for_completion=False).execute(Tries().next())["job_id"]
    jobs = _defer(job_id)
    data: Any = DataTrigger(min_count=1, query='filename = "never"', poll_interval=3600)
    watcher: Any = LakeDataTrigger(tags="never", poll_interval=3600)

    async def wait() -> None:
        async with aclosing(jobs.run()) as one, aclosing(data.run()) as two, aclosing(watcher.run()) as three:
            waits = [asyncio.ensure_future(anext(each)) for each in (one, two, three)]
            words = [f"job {job_id} is ", "0 of 1 data", "0 data have arrived"]
            for _ in range(600):
                if all(any(line.startswith(f"Still waiting: {each}") for line in log.lines) for each in words):
                    break
                await asyncio.sleep(0.1)
            else:
                raise AssertionError(log.lines)
            for each in waits:
                each.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
            said = len(log.lines)
            await asyncio.sleep(1)
            assert len(log.lines) == said

    asyncio.run(wait())
    end_file.touch()
    lake.client().get_job_by_id(job_id).wait_for_done(0.1, 600)


def _defer(job_id: str) -> Any:
    with pytest.raises(TaskDeferred) as deferral:
        _sensor(job_id, deferrable=True).execute(Tries().next())
    return deferral.value.trigger
