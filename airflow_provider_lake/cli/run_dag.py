"""Run one DAG file to its end in this process, as `airflow dags test` does, and write the outcome to a file.

Usage: ``python -m airflow_provider_lake.cli.run_dag DAG_FILE CONF_JSON OUTCOME_FILE``.
"""

import json
import runpy
import sys
from pathlib import Path
from typing import Any


def main(dag_file: Path, conf: dict[str, Any], outcome: Path) -> None:
    """Run the DAG on a migrated database; write its state, its tasks and its report as JSON."""
    # Airflow reads its configuration on import.
    from airflow.utils.session import create_session

    run = runpy.run_path(str(dag_file))["dag"].test(run_conf=conf)
    with create_session() as session:
        tasks = sorted(run.get_task_instances(session=session), key=lambda task: (task.end_date is None, task.end_date))
        report = next((task.xcom_pull(task_ids="report", session=session) for task in tasks), None)
    outcome.write_text(
        json.dumps({"state": str(run.state), "tasks": [_describe(task) for task in tasks], "report": report})
    )


def _describe(task: Any) -> dict[str, Any]:
    return {
        "task_id": task.task_id,
        "name": None if task.map_index < 0 else task.rendered_map_index or str(task.map_index),
        "state": str(task.state) if task.state else None,
        "seconds": task.duration,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]), Path(sys.argv[3]))
