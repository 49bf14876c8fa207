"""A task's links into the lake: while it runs, while it is deferred, and after it has failed."""

import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.e2e.airflow_stack import RUN_SECONDS, AirflowStack
from tests.e2e.held_job import hold_job
from tests.lake_process import LakeProcess

ENDED = {"success", "failed"}


def _links(airflow: AirflowStack, run: dict[str, Any], task_id: str) -> dict[str, str | None]:
    path = f"/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances/{task_id}/links"
    links: dict[str, str | None] = airflow.call("GET", path)["extra_links"]
    return links


def _newest_job(lake: LakeProcess) -> str:
    with sqlite3.connect(lake.data_dir / "lake.db") as database:
        [[job_id]] = database.execute("SELECT id FROM jobs ORDER BY created_at DESC LIMIT 1").fetchall()
    return str(job_id)


@pytest.mark.parametrize(("mode", "state"), [("here", "running"), ("deferred", "deferred")])
def test_links_are_there_while_the_job_goes_on_and_after_it_has_failed(
    airflow: AirflowStack, lake: LakeProcess, tmp_path: Path, mode: str, state: str
) -> None:
    """They lead to the datalake, to the data that were selected, and to the job, whatever becomes of the task."""
    held = hold_job(lake, tmp_path, f"links {mode}")
    dag_id = f"lake_links_{mode}"
    airflow._await(f"{dag_id} is parsed", lambda: airflow._knows(dag_id), RUN_SECONDS)
    conf = {"processing": held.processing, "tag": held.tag}
    run = airflow.call("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})
    airflow._await(
        f"the task is {state} and has a job",
        lambda: airflow.tasks(run)[0]["state"] == state and bool(_links(airflow, run, "launch").get("Job in the lake")),
        RUN_SECONDS,
    )

    while_it_goes_on = _links(airflow, run, "launch")
    held.end(exit_code=3)
    airflow._await("the task ends", lambda: airflow.tasks(run)[0]["state"] in ENDED, RUN_SECONDS)

    datalake = lake.client().get_datalake()
    assert while_it_goes_on["Datalake"] == f"{lake.url}/datalake/{datalake.id}"
    data = urlsplit(str(while_it_goes_on["Data in the lake"]))
    assert f"{data.scheme}://{data.netloc}{data.path}" == while_it_goes_on["Datalake"]
    assert parse_qs(data.query) == {"tag": [held.tag], "q": ["meta.width >= 1"]}
    job = str(while_it_goes_on["Job in the lake"])
    assert job.startswith(f"{lake.url}/job/")
    assert job.rpartition("/")[2].replace("-", "") == _newest_job(lake).replace("-", "")
    assert airflow.tasks(run)[0]["state"] == "failed"
    assert _links(airflow, run, "launch") == while_it_goes_on
