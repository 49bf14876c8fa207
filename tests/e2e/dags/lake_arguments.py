"""A DAG whose tasks are given what other tasks return, and what templates render natively."""

from typing import Any

from airflow.providers.common.compat.sdk import AirflowSkipException
from airflow.sdk import DAG, task

from airflow_provider_lake.operators.processing import LaunchProcessingOperator
from airflow_provider_lake.operators.tag import TagDataOperator
from airflow_provider_lake.operators.upload import UploadDataOperator
from airflow_provider_lake.sensors.job import JobSensor


@task(multiple_outputs=True)
def too_many() -> dict[str, Any]:
    """Return what an upload of many files returns."""
    return {"datalake": "default", "uploaded": 101, "data_ids": None, "manifest": None}


@task(multiple_outputs=True)
def skipped() -> dict[str, Any]:
    """Return nothing."""
    raise AirflowSkipException


with DAG(
    dag_id="lake_arguments",
    schedule=None,
    render_template_as_native_obj=True,
    params={"tags": ["native", 2024], "source": 20240506},
) as dag:
    upload = UploadDataOperator(
        task_id="upload",
        filepaths="{{ dag_run.conf.folder }}",
        tags="{{ params.tags }}",
        source="{{ params.source }}",
        metadata={"reference": "{{ run_id }}"},
    )
    TagDataOperator(task_id="by_key", data_ids=upload.output["data_ids"], attach="{{ [params.tags, ['more']] }}")
    launch = LaunchProcessingOperator(
        task_id="launch", processing="data auto tagging", summary=upload.output, wait_for_completion=False
    )
    JobSensor(task_id="by_job_key", job_id=launch.output["job_id"], poke_interval=0.2)
    mapped = UploadDataOperator.partial(task_id="mapped").expand(filepaths=["{{ dag_run.conf.folder }}"] * 2)
    TagDataOperator(task_id="by_mapped_key", data_ids=mapped.output["data_ids"], attach="mapped")
    TagDataOperator(task_id="too_many_ids", data_ids=too_many()["data_ids"], attach="never", skip_if_empty=True)
    TagDataOperator(
        task_id="no_ids",
        data_ids=skipped()["data_ids"],
        attach="never",
        skip_if_empty=True,
        trigger_rule="all_done",
    )
    TagDataOperator.partial(task_id="each", tags="native", attach="each", skip_if_empty=True).expand(
        data_ids=[None, "{{ ti.xcom_pull('upload')['data_ids'] }}"]
    )
    upload >> dag.get_task("each")
