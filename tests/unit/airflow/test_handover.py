"""Tasks do not resume sooner than this Airflow can bear."""

from airflow import __version__

from airflow_provider_lake.sensors.job import JobSensor
from airflow_provider_lake.triggers.handover import handover_seconds

IS_BELOW_3_2 = tuple(int(part) for part in __version__.split(".")[:2]) < (3, 2)


def test_a_trigger_fires_when_the_process_that_deferred_is_gone() -> None:
    """Below 3.2 that takes up to five seconds, unless they are set otherwise; from then on it does not matter."""
    assert handover_seconds() == (7 if IS_BELOW_3_2 else 0)


def test_a_sensor_is_rescheduled_no_sooner() -> None:
    """Whatever interval was asked for; a longer one stays, and so does that of other modes."""
    intervals = [
        JobSensor(task_id="wait", job_id="one", mode=mode, poke_interval=interval).poke_interval
        for mode, interval in (("reschedule", 1), ("reschedule", 60), ("poke", 1))
    ]

    assert intervals == [7 if IS_BELOW_3_2 else 3, 60, 1]
