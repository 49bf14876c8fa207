"""What sensors know before they run."""

from typing import Any

import pytest
from airflow.sdk import DAG

from airflow_provider_lake.operators.import_bucket import ImportBucketObjectsOperator
from airflow_provider_lake.sensors.job import JobSensor


@pytest.mark.parametrize("wrap", [lambda output: output, lambda output: [output], lambda output: output["job_id"]])
def test_what_needs_another_tasks_result_begins_on_a_worker(wrap: Any) -> None:
    """No trigger could start with it; a plain id can."""
    with DAG("waits", schedule=None):
        start = ImportBucketObjectsOperator(task_id="start", prefixes="a/")
        options: dict[str, Any] = {"deferrable": True, "start_from_trigger": True}
        needing = JobSensor(task_id="needing", job_id=wrap(start.output), **options)
        knowing = JobSensor(task_id="knowing", job_id="17", **options)

    assert (needing.start_from_trigger, knowing.start_from_trigger) == (False, True)
