"""What cannot work fails, at once and with an error that names it."""

import sys
from pathlib import Path

import pytest

from airflow_provider_lake.cli.main import main
from airflow_provider_lake.cli.sample_photos import make_photos
from tests.e2e.airflow_stack import AirflowStack
from tests.lake_process import LakeProcess

CAUSES = {
    "missing_file": "missing.jpg",
    "empty_glob": "*.nothing",
    "no_image": "no-image.jpg",
    "zero_bytes": "empty.jpg",
    "metadata_length": "metadata is given for 2 files, but there are 3",
    "wrong_token": "401",
    "unreachable": "127.0.0.1:9",
    "wrong_datalake": "no-such-lake",
    "unknown_processing": "no-such-processing",
    "unknown_tag": "no-such-tag",
    "unknown_job": "00000000-0000-4000-8000-000000000000",
}
FAILING_PROGRAM = (
    "import time; print('first words'); time.sleep(5); print('the disk of the camera is full'); raise SystemExit(7)"
)


def test_every_bad_input_is_named_in_its_tasks_log(airflow: AirflowStack, tmp_path: Path) -> None:
    """Each task fails, and its log says what was wrong."""
    make_photos(tmp_path / "photos", 3, seed=43)
    (tmp_path / "no-image.jpg").write_text("words, not pixels")
    (tmp_path / "empty.jpg").touch()

    run = airflow.run_dag("lake_failures", {"folder": str(tmp_path)})

    states = {task["task_id"]: task["state"] for task in airflow.tasks(run)}
    assert states == dict.fromkeys(CAUSES, "failed")
    unnamed = {task: log for task, cause in CAUSES.items() if cause not in (log := airflow.log(run, task))}
    assert unnamed == {}


@pytest.mark.parametrize("mode", ["poke", "reschedule", pytest.param("deferrable", marks=pytest.mark.every_airflow)])
def test_a_failed_job_fails_its_sensor_with_the_jobs_last_words(
    airflow: AirflowStack, lake: LakeProcess, tmp_path: Path, mode: str
) -> None:
    """In every mode, the sensor's log ends with the last lines of the job's log and its exit code."""
    command = [sys.executable, "-c", FAILING_PROGRAM]
    assert main(["processing", "register", "--data-dir", str(lake.data_dir), "always fails", "--", *command]) == 0
    tag = f"failing-{mode}"
    lake.client().get_datalake().upload_data(make_photos(tmp_path, 1), tags=[tag])

    run = airflow.run_dag(f"lake_failing_job_{mode}", {"tag": tag})

    assert {task["task_id"]: task["state"] for task in airflow.tasks(run)} == {"launch": "success", "wait": "failed"}
    log = airflow.log(run, "wait")
    assert "the disk of the camera is full" in log
    assert "exit code 7" in log
