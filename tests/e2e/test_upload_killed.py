"""Uploads whose task process is killed, in a real Airflow that then tries them again."""

from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from tests.e2e.airflow_stack import AirflowStack
from tests.lake_process import LakeProcess

FILES = 300


@pytest.mark.parametrize("knows", ["kept", "manifest", "skip"])
def test_no_file_is_lost_or_registered_twice(
    airflow: AirflowStack, lake: LakeProcess, tmp_path: Path, knows: str
) -> None:
    """By what Airflow keeps of a task, by the manifest, and by what the lake has: each file once, after two tries."""
    paths = [tmp_path / f"{knows}-{number:03d}.png" for number in range(FILES)]
    for path in paths:
        Image.new("RGB", (4, 4)).save(path)

    run = airflow.run_dag(f"lake_upload_killed_{knows}", {"folder": str(tmp_path), "tag": f"killed-{knows}"})

    [task] = airflow.tasks(run)
    assert (task["state"], task["try_number"]) == ("success", 2), airflow.log(run, "upload", task["try_number"])
    data = lake.client().get_datalake().list_data(tags=[f"killed-{knows}"])
    assert Counter(each.filename for each in data) == {path.name: 1 for path in paths}
    summary = airflow.result(run, "upload")
    assert summary["uploaded"] + summary["skipped"] == FILES
    # What was registered in the moment of the kill is this task's own, if tries know of each other.
    assert (summary["skipped"] == 0) == (knows != "skip")
