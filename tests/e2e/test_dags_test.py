"""What `airflow dags test` and `airflow tasks test` make of the examples, and of every way to wait."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_lake.cli.main import main
from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.client import JobStatus
from tests.e2e.airflow_stack import PYTHON_VARIABLE
from tests.lake_process import LakeProcess

ROOT = Path(__file__).resolve().parents[2]
DAGS = Path(__file__).parent / "dags"
FILES = [*(ROOT / "example_dags").glob("*.py"), DAGS / "lake_every_mode.py", DAGS / "lake_arguments.py"]
PROGRAM = Path(__file__).with_name("dags_test_program.py")


def _register(lake: LakeProcess, name: str, program: str) -> str:
    command = [sys.executable, "-c", program]
    assert main(["processing", "register", "--data-dir", str(lake.data_dir), name, "--", *command]) == 0
    return name


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LakeProcess]:
    """Run a lake of their own: photos that others have uploaded would be known."""
    with LakeProcess(tmp_path_factory.mktemp("dags-test-lake") / "data", is_preloaded=True) as process:
        yield process


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder for an Airflow of the tests' own, with its DAGs."""
    folder = tmp_path_factory.mktemp("dags-test")
    (folder / "dags").mkdir()
    for file in FILES:
        (folder / "dags" / file.name).symlink_to(file)
    return folder


@pytest.fixture(scope="module")
def environment(lake: LakeProcess, home: Path) -> dict[str, str]:
    """Set that Airflow up."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    return kept | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_CONN_LAKE_DEFAULT": lake.connection(),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


@pytest.fixture(scope="module")
def outcomes(lake: LakeProcess, home: Path, environment: dict[str, str]) -> dict[str, Any]:
    """Run them all, and return what became of them."""
    photos = {name: home / name for name in ("incremental-photos", "ingestion", "mapped", "arguments")}
    for number, folder in enumerate(photos.values()):
        make_photos(folder, 3, seed=100 + number)
    for prefix in ("modes/here", "modes/deferred", "modes/start", "process", "ingest", "cameras"):
        make_photos(lake.objects / prefix, 2, seed=sum(prefix.encode()))
    datalake = lake.client().get_datalake()
    ended = datalake.import_bucket_objects(["process/"], tags=["processed"])
    ended.wait_for_done()
    confs = {
        "lake_every_mode": {
            "job_id": str(ended.id),
            "launch": "data auto tagging",
            "failing": _register(lake, "fails at once", "raise SystemExit('no such luck')"),
            "slow": _register(lake, "takes for ever", "import time; time.sleep(600)"),
        },
        "example_lake_import_and_process": {"prefix": "process/", "tag": "processed"},
        "example_lake_incremental": {
            "folder": str(photos["incremental-photos"]),
            "manifests": str(home / "incremental"),
        },
        "example_lake_ingestion": {"folder": str(photos["ingestion"]), "prefix": "ingest/"},
        "example_lake_mapped_upload": {"folder": str(photos["mapped"]), "work": str(home / "work"), "chunk_size": 2},
        "example_lake_watcher": {},
        "lake_arguments": {"folder": str(photos["arguments"])},
    }
    assert {file.stem for file in FILES} == set(confs)
    python = os.environ.get(PYTHON_VARIABLE, sys.executable)
    with (home / "log").open("wb") as log:
        subprocess.run(
            [python, str(PROGRAM), str(home / "outcomes.json"), json.dumps(confs)],
            env=environment,
            cwd=home,
            stdout=log,
            stderr=log,
            check=True,
        )
    found: dict[str, Any] = json.loads((home / "outcomes.json").read_text())
    return found


def _states(outcome: dict[str, Any]) -> dict[str, str]:
    return {name: task["state"] for name, task in outcome["tasks"].items()}


@pytest.mark.parametrize("dag_id", sorted(file.stem for file in FILES if file.stem.startswith("example")))
def test_an_example_runs_to_its_end(outcomes: dict[str, Any], dag_id: str) -> None:
    """Every task of every example succeeds; the watcher's, which nothing has started, are skipped."""
    outcome = outcomes[dag_id]

    expected = {"skipped"} if dag_id == "example_lake_watcher" else {"success"}
    assert set(_states(outcome).values()) == expected, outcome["state"]
    assert outcome["state"] == "success"


def test_an_example_that_runs_again_skips_what_is_done(outcomes: dict[str, Any]) -> None:
    """Nothing new came in, so there is nothing to tag, to describe, to show or to archive."""
    outcome = outcomes["example_lake_mapped_upload again"]

    states = _states(outcome)
    done = {"tag", "describe", "show", "archive"}
    assert {name: states.pop(name) for name in done} == dict.fromkeys(done, "skipped"), outcome["state"]
    assert set(states.values()) == {"success"}
    assert outcome["state"] == "success"


def test_every_wait_ends_alike_in_every_mode(outcomes: dict[str, Any]) -> None:
    """What succeeds, fails and comes too late does so in each mode, and what succeeds returns the same."""
    outcome = outcomes["lake_every_mode"]

    failing = {name for name, state in _states(outcome).items() if state != "success"}
    assert failing == {
        *(f"{what}_{mode}" for what in ("failing", "slow") for mode in ("here", "deferred")),
        *(f"late_{mode}" for mode in ("poke", "reschedule", "deferred")),
    }, outcome["state"]
    results = {name: task["result"] for name, task in outcome["tasks"].items()}
    for what in ("import", "launch"):
        here, deferred = ({**results[f"{what}_{mode}"], "job_id": 0} for mode in ("here", "deferred"))
        assert json.loads(json.dumps(deferred).replace("deferred", "here")) == here
    for what in ("job", "data"):
        assert results[f"{what}_poke"] == results[f"{what}_reschedule"] == results[f"{what}_deferred"]
    assert results["launch_deferred"]["data_count"] == 2


def test_a_wait_that_is_given_up_knows_its_job(outcomes: dict[str, Any], home: Path, lake: LakeProcess) -> None:
    """Both jobs that take for ever are killed, for their tasks know their ids also after they deferred."""
    assert outcomes
    killed = re.findall("Killing job ([0-9a-f-]{36})", (home / "log").read_text())
    client = lake.client()
    assert [client.get_job_by_id(job_id).status for job_id in killed] == [JobStatus.KILLED] * 2


def test_a_task_alone_runs_to_its_end(outcomes: dict[str, Any], home: Path) -> None:
    """`airflow tasks test` with a deferrable job operator says that its job is done."""
    assert outcomes
    said = (home / "log").read_text().partition("airflow tasks test")[2]
    assert re.search(r"Done: job [0-9a-f-]{36} is SUCCEEDED, 2 of 2 done", said)


def test_a_task_takes_single_values_of_what_another_returned(outcomes: dict[str, Any], home: Path) -> None:
    """Of plain and of mapped tasks; ids that were too many to return fail, and only none at all skip."""
    outcome = outcomes["lake_arguments"]

    assert _states(outcome) == {
        **dict.fromkeys(["upload", "by_key", "launch", "by_job_key", "mapped[0]", "mapped[1]"], "success"),
        "by_mapped_key": "success",
        "too_many": "success",
        "too_many_ids": "failed",
        "skipped": "skipped",
        "no_ids": "skipped",
        "each[0]": "failed",
        "each[1]": "success",
    }, outcome["state"]
    results = {name: task["result"] for name, task in outcome["tasks"].items()}
    assert results["upload"]["tags"] == ["native", "2024"]
    assert results["upload"]["source"] == "20240506"
    assert results["by_key"]["attached"] == ["native", "2024", "more"]
    assert [results[name]["data_count"] for name in ("by_key", "by_mapped_key", "each[1]")] == [3, 6, 3]
    assert "hand on what it returned as a whole, as summary=upload.output" in (home / "log").read_text()
