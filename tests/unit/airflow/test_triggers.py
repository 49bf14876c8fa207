"""Triggers travel between processes."""

from airflow.models.trigger import Trigger

from airflow_provider_lake.triggers.jobs import JobTrigger


def test_a_trigger_survives_its_way_through_the_database() -> None:
    """Class path and arguments, as Airflow writes and reads them, make an equal trigger again."""
    trigger = JobTrigger(job_id=["one", "two"], lake_conn_id="lake", poll_interval=2.5, outage_budget=60.0)

    path, arguments = trigger.serialize()

    assert path == "airflow_provider_lake.triggers.jobs.JobTrigger"
    row = Trigger(classpath=path, kwargs=arguments)
    assert JobTrigger(**row.kwargs).serialize() == trigger.serialize()
