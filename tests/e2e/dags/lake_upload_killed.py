"""DAGs of the tests whose upload loses its process in the middle of the second chunk."""

import itertools
import os
import signal
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG

from airflow_provider_lake.operators.data import UploadDataOperator

# Of 256 in the first chunk.
LAST_WORDS = 270


class DyingUploadOperator(UploadDataOperator):
    """Is killed at its first try, when so many data are registered and others are on their way."""

    def execute(self, context: Any) -> Any:
        """Upload, unless this is the first try."""
        if self.if_exists != "upload" or self.manifest:
            # As below Airflow 3.3.
            context.pop("task_state_store", None)
        if context["ti"].try_number == 1:
            from airflow_provider_lake.client.http import Session

            send, registered = Session.request, itertools.count(1)

            def counted(session: Session, method: str, path: str, **options: Any) -> Any:
                answer = send(session, method, path, **options)
                if method == "POST" and path.endswith("/datas") and next(registered) == LAST_WORDS:
                    os.kill(os.getpid(), signal.SIGKILL)
                return answer

            Session.request = counted
        return super().execute(context)


for name, options in {
    "kept": {},
    "manifest": {"manifest": "{{ dag_run.conf.folder }}/run.jsonl"},
    "skip": {"if_exists": "skip"},
}.items():
    with DAG(dag_id=f"lake_upload_killed_{name}", schedule=None):
        DyingUploadOperator(
            task_id="upload",
            filepaths="{{ dag_run.conf.folder }}/*.png",
            tags="{{ dag_run.conf.tag }}",
            retries=1,
            retry_delay=timedelta(seconds=1),
            **options,
        )
