"""DAGs of the tests whose upload loses its process, again and again."""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG

from airflow_provider_lake.operators.upload import UploadDataOperator

RETRIES = 1000


class ForgetfulUploadOperator(UploadDataOperator):
    """Is kept no state of by Airflow, as below Airflow 3.3."""

    def execute(self, context: Any) -> Any:
        """Upload."""
        context.pop("task_state_store", None)
        return super().execute(context)


for name, operator, options in (
    ("kept", UploadDataOperator, {}),
    ("manifest", ForgetfulUploadOperator, {"manifest": "{{ dag_run.conf.folder }}/run.jsonl"}),
    ("skip", ForgetfulUploadOperator, {"if_exists": "skip"}),
):
    with DAG(dag_id=f"lake_upload_killed_{name}", schedule=None):
        operator(
            task_id="upload",
            filepaths="{{ dag_run.conf.folder }}/*.png",
            tags="{{ dag_run.conf.tag }}",
            lake_conn_id="lake_network",
            max_workers=4,
            retries=RETRIES,
            retry_delay=timedelta(seconds=1),
            **options,
        )
