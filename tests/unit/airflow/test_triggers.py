"""Triggers travel between processes."""

from airflow.sdk.serde import deserialize, serialize

from airflow_provider_lake.triggers.jobs import JobTrigger


def test_a_trigger_survives_its_way_through_the_database() -> None:
    """Class path and arguments, through Airflow's own serializer, make an equal trigger again."""
    trigger = JobTrigger(job_ids=["one", "two"], lake_conn_id="lake", poll_interval=2.5, outage_budget=60.0)

    path, arguments = trigger.serialize()

    assert path == "airflow_provider_lake.triggers.jobs.JobTrigger"
    travelled = deserialize(serialize(arguments))
    assert isinstance(travelled, dict)
    assert JobTrigger(**travelled).serialize() == trigger.serialize()
