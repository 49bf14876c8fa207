"""The API token of a connection shows nowhere, whatever becomes of the tasks that use it."""

import base64
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airflow_provider_lake.cli.sample_photos import make_photos
from tests.e2e.airflow_stack import RUN_SECONDS, AirflowStack
from tests.e2e.held_job import hold_job
from tests.lake_process import LakeProcess

WRONG_TOKEN = "not-the-token"
ENDED = {"success", "failed"}


def test_no_token_is_in_anything_that_airflow_or_the_lake_keeps(
    airflow: AirflowStack, lake: LakeProcess, tmp_path: Path
) -> None:
    """Not in logs, XComs, links, rendered templates, serialized DAGs and triggers, nor in the lake's own log.

    The connections come from the environment, so that the whole of Airflow's folder, its database included, can be
    searched. The tasks upload, import, process, wait deferred, and fail: by a wrong token, an unreachable lake and bad
    input too.
    """
    make_photos(tmp_path / "photos", 3, seed=41)
    make_photos(lake.objects / "secrets", 3, seed=5)
    conf = {"folder": str(tmp_path / "photos"), "prefix": "secrets/", "tags": ["secrets"]}
    ingestion = airflow.run_dag("example_lake_ingestion", conf)
    failures = airflow.run_dag("lake_failures", {"folder": str(tmp_path)})
    triggers = _triggers_while_deferred(airflow, lake, tmp_path)

    assert ingestion["state"] == "success"
    assert failures["state"] == "failed"
    assert "airflow_provider_lake.triggers" in triggers
    secrets = [form for token in (lake.token, WRONG_TOKEN) for form in _forms(token)]
    places = [*_files(airflow.home), *_files(lake.data_dir.parent, "*.log")]
    # The search reaches what it should: here is the id of a connection, and the address of a lake.
    assert _holding(places, b"lake_wrong_token", "airflow.db")
    assert _holding(places, b"127.0.0.1:9", "task_id=unreachable")
    found = [str(path) for path in places if any(secret in path.read_bytes() for secret in secrets)]
    assert found == []
    assert not any(secret.decode() in triggers for secret in secrets)


def _triggers_while_deferred(airflow: AirflowStack, lake: LakeProcess, folder: Path) -> str:
    """Return all rows of Airflow's trigger table while a task is deferred; let the task fail then."""
    held = hold_job(lake, folder, "secrets of triggers")
    dag_id = "lake_links_deferred"
    airflow._await(f"{dag_id} is parsed", lambda: airflow._knows(dag_id), RUN_SECONDS)
    conf = {"processing": held.processing, "tag": held.tag}
    run: dict[str, Any] = airflow.call("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})
    airflow._await("the task is deferred", lambda: airflow.tasks(run)[0]["state"] == "deferred", RUN_SECONDS)
    with sqlite3.connect(airflow.home / "airflow.db") as database:
        triggers = repr(database.execute("SELECT * FROM trigger").fetchall())
    held.end(exit_code=1)
    airflow._await("the task ends", lambda: airflow.tasks(run)[0]["state"] in ENDED, RUN_SECONDS)
    return triggers


def _forms(token: str) -> Iterator[bytes]:
    """Yield the forms that a token may take on its way."""
    yield token.encode()
    yield quote(token, safe="").encode()
    # Base64 of a text depends on where the text begins.
    for start in range(3):
        encoded = base64.b64encode(b"x" * start + token.encode())
        yield encoded[4:-4]


def _holding(places: list[Path], words: bytes, part: str) -> list[Path]:
    """Return the files whose path has a part in it, and which hold the words."""
    return [path for path in places if part in str(path) and words in path.read_bytes()]


def _files(folder: Path, pattern: str = "*") -> list[Path]:
    return [path for path in folder.rglob(pattern) if path.is_file()]
