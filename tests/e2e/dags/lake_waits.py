"""A DAG that starts as many jobs as it is told, and waits for each in the triggerer."""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, get_current_context, task

from airflow_provider_lake.operators.processing import LaunchProcessingOperator

with DAG(dag_id="lake_waits", schedule=None):

    @task
    def numbers() -> list[dict[str, Any]]:
        """Tell the jobs apart by their parameters."""
        run: Any = get_current_context()["dag_run"]
        return [{"number": number} for number in range(run.conf["waits"])]

    LaunchProcessingOperator.partial(
        task_id="launch",
        processing="{{ dag_run.conf.processing }}",
        tags="{{ dag_run.conf.processing }}",
        lake_conn_id="lake_network",
        deferrable=True,
        poll_interval=2,
        retries=2,
        retry_delay=timedelta(seconds=1),
    ).expand(parameters=numbers())
