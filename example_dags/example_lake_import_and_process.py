"""### Import from the lake's bucket and process what came in, without holding a worker.

Both steps are jobs of the lake that may take hours. Each task starts its job, keeps its id and defers: it waits in the
triggerer, where all waits on one connection share one poller, and comes back to a worker to report. A retry finds the
job that goes on; clearing a task starts its job anew. The last task waits once more for both jobs, as another team's
DAG would that was only told their ids.

It needs a connection `lake_default` of type *Lake* and, in the bucket of its datalake, images below the prefix. Run it
with `airflow dags test example_lake_import_and_process --conf '{"prefix": "cameras/2026-11-24/"}'`.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param

from airflow_provider_lake.operators.import_bucket import ImportBucketObjectsOperator
from airflow_provider_lake.operators.processing import LaunchProcessingOperator
from airflow_provider_lake.sensors.job import JobSensor

with DAG(
    dag_id="example_lake_import_and_process",
    schedule=None,
    catchup=False,
    doc_md=__doc__,
    tags=["example", "lake"],
    params={
        "prefix": Param("cameras/", type="string", description="Beginning of the object names to import"),
        "tag": Param("imported", type="string", description="Tag of what comes in"),
        "processing": Param("data auto tagging", type="string", description="Processing to run on it"),
    },
    default_args={
        "deferrable": True,
        "poll_interval": 30,
        "timeout": timedelta(hours=6),
        "retries": 3,
        "retry_delay": timedelta(minutes=1),
    },
) as dag:
    bring_in = ImportBucketObjectsOperator(
        task_id="bring_in",
        prefixes="{{ params.prefix }}",
        tags="{{ params.tag }}",
    )

    process = LaunchProcessingOperator(
        task_id="process",
        processing="{{ params.processing }}",
        tags="{{ params.tag }}",
        # Nobody needs the result of a processing whose task was given up.
        cancel_on_kill=True,
    )

    both = JobSensor(
        task_id="both",
        job_id=[bring_in.output, process.output],
        poke_interval=30,
    )

    bring_in >> process >> both
