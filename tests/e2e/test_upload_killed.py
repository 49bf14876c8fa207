"""Uploads whose task process is killed at random moments, in a real Airflow that then tries them again."""

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from tests.e2e.airflow_stack import AirflowStack
from tests.e2e.transfers import Transfers, transfers_through
from tests.fault_proxy import FaultProxy
from tests.lake_process import LakeProcess

# More than one chunk, which is what a killed task may have to do again.
MIN_FILES = 300
FILES_PER_KILL = 40
WORKERS = 4
# A moment is a number of registered files, and then of exchanges: so it may fall amid any step of an upload.
MORE_EXCHANGES = 20
LATEST = 0.95


@pytest.mark.timeout(0)  # each of its waits has an end
@pytest.mark.parametrize("knows", ["kept", "manifest", "skip"])
def test_no_file_is_lost_or_registered_twice(
    airflow: AirflowStack,
    lake: LakeProcess,
    network: FaultProxy,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
    knows: str,
) -> None:
    """By what Airflow keeps of a task, by the manifest, and by what the lake has: each file once, over all tries.

    Bytes are sent again only of files that were on their way when the process was killed.
    """
    kills, seed = request.config.getoption("--task-kills"), request.config.getoption("--kill-seed")
    dice, tag = Random(seed), f"killed-{knows}"
    paths = _make_pictures(tmp_path, knows, max(MIN_FILES, FILES_PER_KILL * kills))
    moments = sorted(dice.randrange(int(LATEST * len(paths))) for _ in range(kills))

    with transfers_through(network) as transfers:
        run = airflow.start_dag(f"lake_upload_killed_{knows}", {"folder": str(tmp_path), "tag": tag})
        for number, moment in enumerate(moments, 1):
            task = airflow.await_task(run, "upload", "running", try_number=number)
            transfers.wait_for(moment, dice.randrange(MORE_EXCHANGES))
            os.kill(task["pid"], signal.SIGKILL)
        airflow.await_end(run)

    [task] = airflow.tasks(run)
    assert (task["state"], task["try_number"]) == ("success", kills + 1), airflow.log(run, "upload", kills + 1)
    again = _require_each_once(lake, transfers, paths, tag)
    assert again <= WORKERS * kills
    summary = airflow.result(run, "upload")
    assert summary["uploaded"] + summary["skipped"] == len(paths)
    # What was registered in the moment of the kill is this task's own, if tries know of each other.
    assert (summary["skipped"] == 0) == (knows != "skip")
    figures = {"knows": knows, "seed": seed, "kills": kills, "files": len(paths), "sent again": again}
    record_property("figures", json.dumps(figures))
    sys.stdout.write(f"{figures}\n")


def test_a_killed_scheduler_costs_a_retry(
    airflow: AirflowStack, lake: LakeProcess, network: FaultProxy, tmp_path: Path
) -> None:
    """With it go all its tasks; the next one finds what they did."""
    paths = _make_pictures(tmp_path, "scheduler", MIN_FILES)
    with transfers_through(network) as transfers:
        run = airflow.start_dag("lake_upload_killed_kept", {"folder": str(tmp_path), "tag": "killed-scheduler"})
        transfers.wait_for(MIN_FILES // 2, 0)
        airflow.kill("scheduler")
        airflow.restart("scheduler")
        airflow.await_end(run)

    [task] = airflow.tasks(run)
    assert task["state"] == "success"
    assert _require_each_once(lake, transfers, paths, "killed-scheduler") <= WORKERS


def _make_pictures(folder: Path, name: str, count: int) -> list[Path]:
    paths = [folder / f"{name}-{number:04d}.png" for number in range(count)]
    for path in paths:
        Image.new("RGB", (4, 4)).save(path)
    return paths


def _require_each_once(lake: LakeProcess, transfers: Transfers, paths: list[Path], tag: str) -> int:
    """Require each file to be one data; return how many times bytes were sent that had been sent before."""
    data = lake.client().get_datalake().list_data(tags=[tag])
    assert Counter(each.filename for each in data) == {path.name: 1 for path in paths}
    assert transfers.sent.keys() == {path.name for path in paths}
    return transfers.sent.total() - len(paths)
