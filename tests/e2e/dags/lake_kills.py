"""DAGs of the tests whose tasks are killed, marked and cleared while they wait for a job."""

from datetime import timedelta

from airflow.sdk import DAG

from airflow_provider_lake.operators.processing import LaunchProcessingOperator
from airflow_provider_lake.sensors.job import JobSensor

for mode in ("here", "deferred"):
    for cancel in (True, False):
        with DAG(dag_id=f"lake_{mode}_{'cancel' if cancel else 'keep'}", schedule=None):
            LaunchProcessingOperator(
                task_id="launch",
                processing="{{ dag_run.conf.processing }}",
                tags="{{ dag_run.conf.processing }}",
                deferrable=mode == "deferred",
                cancel_on_kill=cancel,
                poll_interval=0.5,
                retries=1,
                retry_delay=timedelta(seconds=1),
            )

with DAG(dag_id="lake_from_trigger", schedule=None):
    JobSensor(
        task_id="wait",
        job_id="{{ dag_run.conf.job_id }}",
        deferrable=True,
        start_from_trigger=True,
        poke_interval=0.5,
    )
    JobSensor.partial(task_id="wait_mapped", deferrable=True, start_from_trigger=True, poke_interval=0.5).expand(
        job_id=["{{ dag_run.conf.job_id }}"]
    )
