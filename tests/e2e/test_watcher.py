"""Data that arrive in a lake start a DAG, through a real triggerer and scheduler."""

import signal
import sqlite3
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_lake.cli.sample_photos import make_photos
from tests.e2e.airflow_stack import RUN_SECONDS, START_SECONDS, AirflowStack, _signal_group
from tests.lake_process import LakeProcess

DAG_ID = "example_lake_watcher"
QUIET_SECONDS = 5


def _upload(lake: LakeProcess, folder: Path, count: int, seed: int, tag: str = "gate") -> set[str]:
    """Upload photos with a tag; return their ids."""
    photos = make_photos(folder / f"photos-{seed}", count, seed=seed)
    data = lake.client().get_datalake().upload_data(photos, tags=[tag])
    return {str(each.id) for each in data}  # type: ignore[union-attr]  # several files, several data


def _runs(airflow: AirflowStack) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = airflow.call("GET", f"/dags/{DAG_ID}/dagRuns?order_by=run_after")["dag_runs"]
    return runs


def _await_ids(airflow: AirflowStack, wanted: set[str]) -> list[tuple[dict[str, Any], list[str]]]:
    """Wait until runs have succeeded that together were started by these data; return each with its data."""
    deadline = time.monotonic() + RUN_SECONDS
    while time.monotonic() < deadline:
        runs = _runs(airflow)
        if runs and all(run["state"] in {"success", "failed"} for run in runs):
            found = [(run, airflow.result(run, "find_arrived")) for run in runs]
            ours = [(run, ids) for run, ids in found if wanted & set(ids)]
            if wanted <= {each for _, ids in ours for each in ids}:
                return ours
        time.sleep(0.5)
    raise AssertionError(f"no run for {wanted}: {_runs(airflow)}")


def _arrived(airflow: AirflowStack, run: dict[str, Any]) -> set[str]:
    """Return the data that started a run that has ended; none while it goes on."""
    return set(airflow.result(run, "find_arrived")) if run["state"] in {"success", "failed"} else set()


def _failures(airflow: AirflowStack, run: dict[str, Any]) -> dict[str, str]:
    """Return the logs of a run's tasks that failed."""
    failed = [task["task_id"] for task in airflow.tasks(run) if task["state"] != "success"]
    return {task_id: airflow.log(run, task_id)[-5000:] for task_id in failed}


@pytest.fixture
def _is_watching(airflow: AirflowStack) -> None:
    """Wait until the watch has kept where it begins."""
    airflow._await(f"{DAG_ID} is parsed", lambda: airflow._knows(DAG_ID), START_SECONDS)
    airflow._await("the watch has begun", lambda: bool(_positions(airflow)), START_SECONDS)


def _positions(airflow: AirflowStack) -> list[str]:
    """Return the watches' positions that Airflow keeps, straight from its table."""
    with sqlite3.connect(airflow.home / "airflow.db") as connection:
        return [row[0] for row in connection.execute("SELECT value FROM asset_state_store")]


@pytest.mark.every_airflow
def test_photos_that_arrive_start_a_run(airflow: AirflowStack, lake: LakeProcess, tmp_path: Path) -> None:
    """Also where Airflow keeps no position, and nobody says when the watch has begun: what came before is not new."""
    airflow._await(f"{DAG_ID} is parsed", lambda: airflow._knows(DAG_ID), START_SECONDS)
    uploaded: set[str] = set()
    deadline = time.monotonic() + RUN_SECONDS
    while not (found := [run for run in _runs(airflow) if uploaded & _arrived(airflow, run)]):
        assert time.monotonic() < deadline, _runs(airflow)
        uploaded |= _upload(lake, tmp_path, 2, seed=110 + len(uploaded))
        time.sleep(2 * QUIET_SECONDS)

    assert _arrived(airflow, found[0]) <= uploaded
    assert _failures(airflow, found[0]) == {}


@pytest.mark.usefixtures("_is_watching")
def test_each_batch_of_arriving_photos_starts_one_run_for_just_these(
    airflow: AirflowStack, lake: LakeProcess, tmp_path: Path
) -> None:
    """Photos with the tag do; others, and files that are no photos, do not; the run processes what started it."""
    _upload(lake, tmp_path, 2, seed=101, tag="not-the-gate")
    first = _upload(lake, tmp_path, 5, seed=102)
    [(run, ids)] = _await_ids(airflow, first)
    second = _upload(lake, tmp_path, 3, seed=103)
    [(next_run, next_ids)] = _await_ids(airflow, second)

    assert (set(ids), len(ids)) == (first, 5)
    assert (set(next_ids), len(next_ids)) == (second, 3)
    assert _failures(airflow, run) == _failures(airflow, next_run) == {}
    tags = airflow.result(run, "report")
    assert len(tags) == 5
    assert all("gate" in each and {"sharp", "blurry"} & set(each) for each in tags.values())


@pytest.mark.usefixtures("_is_watching")
def test_what_arrives_while_the_triggerer_is_dead_starts_a_run_afterwards(
    airflow: AirflowStack, lake: LakeProcess, tmp_path: Path
) -> None:
    """Killed and started again, it goes on where it was: nothing is lost, and what was seen long ago is not new."""
    before = _upload(lake, tmp_path, 2, seed=104)
    _await_ids(airflow, before)
    _signal_group(airflow.processes["triggerer"], signal.SIGKILL)
    airflow.processes["triggerer"].wait()
    during = _upload(lake, tmp_path, 3, seed=105)
    airflow.processes["triggerer"] = airflow._start("triggerer", "triggerer")

    found = _await_ids(airflow, during)

    starts = Counter(each for _, ids in found for each in ids)
    assert set(starts) >= during
    assert not before & set(starts)
