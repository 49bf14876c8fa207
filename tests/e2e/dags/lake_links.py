"""DAGs of the tests whose task waits for a job that ends when the test says so."""

from airflow.sdk import DAG

from airflow_provider_lake.operators.processing import LaunchProcessingOperator

for deferrable in (False, True):
    with DAG(dag_id=f"lake_links_{'deferred' if deferrable else 'here'}", schedule=None):
        LaunchProcessingOperator(
            task_id="launch",
            processing="{{ dag_run.conf.processing }}",
            tags="{{ dag_run.conf.tag }}",
            query="meta.width >= 1",
            deferrable=deferrable,
            poll_interval=0.5,
        )
