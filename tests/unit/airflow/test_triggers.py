"""Triggers travel between processes."""

import importlib
import json
import pkgutil
from typing import Any

import pytest
from airflow.models.trigger import Trigger
from airflow.triggers.base import BaseTrigger

from airflow_provider_lake import triggers
from airflow_provider_lake.client import RateLimitedError, ServerError
from airflow_provider_lake.triggers.events import error_event, require_ended
from airflow_provider_lake.triggers.job import JobTrigger

EXAMPLES: dict[str, dict[str, Any]] = {
    "DataTrigger": {
        "min_count": 3,
        "query": 'tags.name in ("car")',
        "lake_conn_id": "lake",
        "datalake": "traffic",
        "poll_interval": 2.5,
        "outage_budget": 60.0,
        "deadline": 1800003600.5,
    },
    "LakeDataTrigger": {
        "lake_conn_id": "lake",
        "datalake": "traffic",
        "tags": ["car", "van"],
        "intersect_tags": True,
        "query": "meta.width >= 1920",
        "begin": "earliest",
        "poll_interval": 2.5,
        "min_count": 3,
        "max_count": 100,
        "quiet_period": 1.5,
        "max_wait": 60.0,
        "consumer": "training",
    },
    "JobTrigger": {
        "job_id": ["one", {"job_id": "two", "status": "QUEUED"}],
        "lake_conn_id": "lake",
        "poll_interval": 2.5,
        "outage_budget": 60.0,
        "since": 1800000000.5,
        "deadline": 1800003600.5,
        "cancel_on_kill": True,
        "details": {"datalake": "traffic"},
    },
}
MODULES = [
    importlib.import_module(f"{triggers.__name__}.{each.name}") for each in pkgutil.iter_modules(triggers.__path__)
]
TRIGGERS = [
    each
    for module in MODULES
    for each in vars(module).values()
    if isinstance(each, type) and issubclass(each, BaseTrigger) and each.__module__ == module.__name__
]


@pytest.mark.parametrize("trigger_class", TRIGGERS)
def test_a_trigger_survives_its_way_through_the_database(trigger_class: type[BaseTrigger]) -> None:
    """Class path and arguments, as Airflow writes and reads them and through JSON, make an equal trigger again."""
    trigger = trigger_class(**EXAMPLES[trigger_class.__name__])

    path, arguments = trigger.serialize()

    assert path == f"{trigger_class.__module__}.{trigger_class.__name__}"
    assert arguments == EXAMPLES[trigger_class.__name__]
    for travelled in (Trigger(classpath=path, kwargs=arguments).kwargs, json.loads(json.dumps(arguments))):
        assert trigger_class(**travelled).serialize() == trigger.serialize()


def test_a_trigger_is_made_without_asking_anybody() -> None:
    """Airflow makes it in the worker, before it defers, and again in the triggerer's event loop."""
    assert JobTrigger(job_id="one", lake_conn_id="no such connection").serialize()


def test_an_event_shows_no_credentials_of_a_host() -> None:
    """Airflow writes events to its log and its database; the error is made again without them."""
    event = error_event(ServerError(503, "GET", "https://user:hidden@lake.example.com/api/v2/job/1", "busy"))

    assert "hidden" not in repr(event)
    with pytest.raises(ServerError) as raised:
        require_ended(event)
    assert raised.value.url == "https://lake.example.com/api/v2/job/1"


@pytest.mark.parametrize("retry_after", [None, 0.0, 17.5])
def test_an_event_hands_on_when_to_come_again(retry_after: float | None) -> None:
    """What the lake asked for reaches the retry policy of the worker that resumes, through JSON."""
    error = RateLimitedError(429, "GET", "https://lake.example.com/api/v2/job/1", "slow down", None, retry_after)

    with pytest.raises(RateLimitedError) as raised:
        require_ended(json.loads(json.dumps(error_event(error))))

    assert (raised.value.retry_after, raised.value.status, raised.value.message) == (retry_after, 429, "slow down")
