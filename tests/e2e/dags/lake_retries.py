"""DAG of the tests whose tasks leave it to the retry policy whether they are tried again (Airflow 3.3)."""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, task

from airflow_provider_lake.client import ForbiddenError, RateLimitedError
from airflow_provider_lake.retry_policy import LakeRetryPolicy

PATIENT = {"retries": 2, "retry_delay": timedelta(hours=1), "retry_policy": LakeRetryPolicy()}

with DAG(dag_id="lake_retries", schedule=None):

    @task(**PATIENT)
    def asked_to_wait(ti: Any = None) -> int:
        """Hear once from the lake that a second is enough."""
        if ti.try_number == 1:
            raise RateLimitedError(429, "GET", "http://lake/api/data/1", "too many requests", None, 1.0)
        return int(ti.try_number)

    @task(**PATIENT)
    def refused() -> None:
        """Hear from the lake that this is not allowed."""
        raise ForbiddenError(403, "GET", "http://lake/api/data/1", "not allowed")

    asked_to_wait()
    refused()
