"""DAGs of the tests that wait for a job, also through the death of the process that waits."""

import os
import signal
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG

from airflow_provider_lake.operators.processing import LaunchProcessingOperator


class DyingOperator(LaunchProcessingOperator):
    """Loses its process at its first try: after the job is started, or after the wait that it deferred."""

    def _wait(self, *arguments: Any) -> Any:
        self._die()
        return super()._wait(*arguments)

    def execute_complete(self, context: Any, **arguments: Any) -> Any:
        """Resume, unless this is the first try."""
        self._die()
        return super().execute_complete(context, **arguments)

    def _die(self) -> None:
        from airflow.sdk import get_current_context

        if get_current_context()["ti"].try_number == 1:
            os.kill(os.getpid(), signal.SIGKILL)


for name, operator in (("waits", LaunchProcessingOperator), ("dies", DyingOperator)):
    for deferrable in (False, True):
        with DAG(dag_id=f"lake_{name}_{'deferred' if deferrable else 'here'}", schedule=None):
            operator(
                task_id="launch",
                processing="takes its time",
                tags="{{ dag_run.conf.tag }}",
                deferrable=deferrable,
                poll_interval=0.5,
                retries=1,
                retry_delay=timedelta(seconds=1),
            )
