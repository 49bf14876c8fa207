"""Operators that wait for their job."""

import sqlite3
import sys
from pathlib import Path

import pytest

from airflow_provider_lake.cli.main import main
from airflow_provider_lake.cli.sample_photos import make_photos
from tests.e2e.airflow_stack import AirflowStack
from tests.lake_process import LakeProcess

PROCESSING = "takes its time"


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


@pytest.mark.parametrize("mode", ["here", "deferred"])
@pytest.mark.parametrize("fate", [pytest.param("waits", marks=pytest.mark.every_airflow), "dies"])
def test_one_job_is_started_and_its_end_is_returned(
    airflow: AirflowStack, lake: LakeProcess, tag: str, fate: str, mode: str
) -> None:
    """Waiting on a worker or deferred, also when the process that waits is killed: one job, and the same summary."""
    before = _jobs(lake)

    run = airflow.run_dag(f"lake_{fate}_{mode}", {"tag": tag})

    [task] = airflow.tasks(run)
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
    }
