"""DAGs of the tests whose tasks must fail, each with an error that names its cause."""

from airflow.sdk import DAG

from airflow_provider_lake.operators.import_bucket import ImportBucketObjectsOperator
from airflow_provider_lake.operators.processing import LaunchProcessingOperator
from airflow_provider_lake.operators.upload import UploadDataOperator
from airflow_provider_lake.sensors.job import JobSensor

with DAG(dag_id="lake_failures", schedule=None, render_template_as_native_obj=True):
    UploadDataOperator(task_id="missing_file", filepaths="{{ dag_run.conf.folder }}/missing.jpg")
    UploadDataOperator(task_id="empty_glob", filepaths="{{ dag_run.conf.folder }}/*.nothing")
    UploadDataOperator(task_id="no_image", filepaths="{{ dag_run.conf.folder }}/no-image.jpg", tags="no-image")
    UploadDataOperator(task_id="zero_bytes", filepaths="{{ dag_run.conf.folder }}/empty.jpg")
    UploadDataOperator(task_id="metadata_length", filepaths="{{ dag_run.conf.folder }}/photos", metadata=[{}, {}])
    ImportBucketObjectsOperator(task_id="wrong_token", prefixes="x/", lake_conn_id="lake_wrong_token")
    ImportBucketObjectsOperator(task_id="unreachable", prefixes="x/", lake_conn_id="lake_unreachable")
    ImportBucketObjectsOperator(task_id="wrong_datalake", prefixes="x/", datalake="no-such-lake")
    LaunchProcessingOperator(task_id="unknown_processing", processing="no-such-processing", tags="no-image")
    LaunchProcessingOperator(task_id="unknown_tag", processing="data auto tagging", tags="no-such-tag")
    JobSensor(task_id="unknown_job", job_id="00000000-0000-4000-8000-000000000000")

for mode in ("poke", "reschedule", "deferrable"):
    with DAG(dag_id=f"lake_failing_job_{mode}", schedule=None, render_template_as_native_obj=True):
        launch = LaunchProcessingOperator(
            task_id="launch", processing="always fails", tags="{{ dag_run.conf.tag }}", wait_for_completion=False
        )
        JobSensor(
            task_id="wait",
            job_id=launch.output,
            mode="poke" if mode == "deferrable" else mode,
            deferrable=mode == "deferrable",
            poke_interval=1,
        )
