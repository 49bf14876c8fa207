"""Run DAGs as `airflow dags test` does, all in one process, on a database of its own; write down what became of them.

Usage: ``python dags_test_program.py OUTCOMES_FILE CONF_JSON``. The environment holds Airflow's settings; the
configurations of the runs are named by their DAGs. At last one task is run as `airflow tasks test` does.
"""

import json
import runpy
import sys
import traceback
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import conf as settings

# This one is run twice: its photos are all there then.
AGAIN = "example_lake_mapped_upload"
TASK = ("example_lake_import_and_process", "bring_in")


def run_dag(file: Path, conf: dict[str, Any]) -> dict[str, Any]:
    """Run a DAG to its end; return its state, and the state and result of each task."""
    from airflow.utils.session import create_session

    run: Any = runpy.run_path(str(file))["dag"].test(run_conf=conf)
    with create_session() as session:
        tasks = {
            str(task.task_id) if task.map_index < 0 else f"{task.task_id}[{task.map_index}]": {
                "state": str(task.state),
                "result": task.xcom_pull(task_ids=task.task_id, map_indexes=task.map_index, session=session),
            }
            for task in run.get_task_instances(session=session)
        }
    return {"state": str(run.state), "tasks": tasks}


def main(outcomes: Path, confs: dict[str, dict[str, Any]]) -> None:
    """Run every DAG that has a configuration; write what became of each as JSON."""
    from airflow.cli.cli_parser import get_parser
    from airflow.utils.db import upgradedb

    upgradedb()
    found: dict[str, Any] = {}
    for dag_id, conf in [*confs.items(), (AGAIN, confs[AGAIN])]:
        name = f"{dag_id} again" if dag_id in found else dag_id
        try:
            found[name] = run_dag(Path(settings.get("core", "dags_folder"), f"{dag_id}.py"), conf)
        except Exception:  # noqa: BLE001 - told to the test, and the others still run
            found[name] = {"state": traceback.format_exc(), "tasks": {}}
    outcomes.write_text(json.dumps(found, default=str))
    sys.stderr.write("airflow tasks test\n")
    arguments = get_parser().parse_args(["tasks", "test", *TASK])
    arguments.func(arguments)


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
