"""A DAG that waits in each way that there is; the other operators are those of the examples."""

from typing import Any

from airflow.sdk import DAG

from airflow_provider_lake.operators.import_bucket import ImportBucketObjectsOperator
from airflow_provider_lake.operators.processing import LaunchProcessingOperator
from airflow_provider_lake.sensors.data import DataSensor
from airflow_provider_lake.sensors.job import JobSensor

MODES: dict[str, dict[str, Any]] = {
    "poke": {"mode": "poke"},
    "reschedule": {"mode": "reschedule"},
    "deferred": {"deferrable": True},
}

with DAG(dag_id="lake_every_mode", schedule=None) as dag:
    for name, deferrable in (("here", False), ("deferred", True)):
        common: dict[str, Any] = {"deferrable": deferrable, "poll_interval": 0.2}
        bring_in = ImportBucketObjectsOperator(
            task_id=f"import_{name}", prefixes=f"modes/{name}/", tags=f"in-{name}", **common
        )
        for what, more in (("launch", {}), ("failing", {}), ("slow", {"timeout": 1, "cancel_on_kill": True})):
            LaunchProcessingOperator(
                task_id=f"{what}_{name}",
                processing=f"{{{{ dag_run.conf.{what} }}}}",
                summary=bring_in.output,
                **common,
                **more,
            )
    started = ImportBucketObjectsOperator(
        task_id="start", prefixes="modes/start/", tags="started", wait_for_completion=False
    )
    for name, mode in MODES.items():
        arguments: dict[str, Any] = {"poke_interval": 0.2, "timeout": 20} | mode
        started >> [
            JobSensor(task_id=f"job_{name}", job_id=started.output, **arguments),
            DataSensor(task_id=f"data_{name}", tags="started", **arguments),
            DataSensor(task_id=f"late_{name}", query="filename = 'never'", **(arguments | {"timeout": 0.5})),
        ]
    JobSensor(
        task_id="job_from_trigger",
        job_id="{{ dag_run.conf.job_id }}",
        deferrable=True,
        start_from_trigger=True,
        timeout=60,
    )
