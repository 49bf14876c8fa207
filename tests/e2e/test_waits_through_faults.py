"""Many tasks that wait for their jobs through a bad network, while everything else breaks down."""

import json
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.airflow_stack import AirflowStack
from tests.e2e.held_job import HeldJob, hold_job
from tests.fault_proxy import FaultProxy
from tests.lake_process import LakeProcess

NAME = "waited for by many"
BROKEN = 0.05
SECONDS_PER_WAIT = 30
# So often a triggerer asks in vain before the lake comes back.
ASKED = 3


@pytest.fixture
def bad_network(network: FaultProxy) -> Iterator[FaultProxy]:
    """Break exchanges while a test runs."""
    network.share = BROKEN
    try:
        yield network
    finally:
        network.share = 0


@pytest.fixture
def held(lake: LakeProcess, tmp_path: Path) -> Iterator[HeldJob]:
    """Give a test a processing whose jobs end when it says so."""
    held = hold_job(lake, tmp_path, NAME, is_silent=True)
    yield held
    held.end()


@pytest.mark.timeout(0)  # each of its waits has an end
def test_all_end_right_and_each_job_is_started_once(
    airflow: AirflowStack,
    lake: LakeProcess,
    bad_network: FaultProxy,
    held: HeldJob,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    """Deferred tasks; one exchange in twenty breaks, the lake is killed, and so is the triggerer meanwhile."""
    waits, outage = request.config.getoption("--waits"), request.config.getoption("--outage")
    patience = SECONDS_PER_WAIT * waits
    run = airflow.start_dag("lake_waits", {"waits": waits, "processing": NAME})
    airflow.await_all(run, "launch", "deferred", waits, patience)

    lake.stop(signal.SIGKILL)
    began = time.monotonic()
    airflow.kill("triggerer")
    airflow.restart("triggerer")
    _await_questions(bad_network)
    # The outage itself is what is asked for, and not how long something else takes.
    time.sleep(max(0.0, outage - (time.monotonic() - began)))
    lake.start()
    seconds = time.monotonic() - began
    held.end()
    airflow.await_end(run, patience)

    tasks = [task for task in airflow.tasks(run) if task["task_id"] == "launch"]
    assert Counter(task["state"] for task in tasks) == {"success": waits}
    jobs = _jobs(lake)
    assert {number: [status for _, status in found] for number, found in jobs.items()} == {
        number: ["SUCCEEDED"] for number in range(waits)
    }
    for number in (0, waits - 1):
        assert airflow.result(run, "launch", number)["job_id"].replace("-", "") == jobs[number][0][0]
    figures = {
        "waits": waits,
        "outage in seconds": round(seconds),
        "broken exchanges": bad_network.faults.total(),
        "tries": sum(task["try_number"] for task in tasks),
    }
    record_property("figures", json.dumps(figures))
    sys.stdout.write(f"{figures}\n")


def _await_questions(network: FaultProxy) -> None:
    """Wait until the new triggerer has asked a lake that is not there."""
    enough, end = network.in_vain + ASKED, time.monotonic() + SECONDS_PER_WAIT * 10
    while network.in_vain < enough:
        assert time.monotonic() < end, "nobody asks for the jobs"
        time.sleep(0.1)


def _jobs(lake: LakeProcess) -> dict[int, list[tuple[str, str]]]:
    """Return the jobs of each number, with their states, straight from the lake's table."""
    found: dict[int, list[tuple[str, str]]] = {}
    with closing(sqlite3.connect(lake.data_dir / "lake.db")) as connection:
        for job_id, status, payload in connection.execute("SELECT id, status, payload FROM jobs"):
            parameters: dict[str, Any] = json.loads(payload).get("parameters") or {}
            if "number" in parameters:
                found.setdefault(parameters["number"], []).append((job_id, status))
    return found
