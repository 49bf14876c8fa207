"""The retry policy in a real Airflow."""

from tests.e2e.airflow_stack import AirflowStack


def test_the_lake_decides_when_a_task_is_tried_again(airflow: AirflowStack) -> None:
    """Both tasks have retries an hour apart: one comes back when the lake said so, the other fails at its first try."""
    run = airflow.run_dag("lake_retries")

    tasks = {task["task_id"]: (task["state"], task["try_number"]) for task in airflow.tasks(run)}
    assert tasks == {"asked_to_wait": ("success", 2), "refused": ("failed", 1)}
    assert "the lake asked to wait 1 s" in airflow.log(run, "asked_to_wait")
