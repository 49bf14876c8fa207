"""Waiting for enough data of a real lake, alike in every mode."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSensorTimeout, AirflowSkipException
from airflow.sdk.exceptions import AirflowRescheduleException, TaskDeferred
from airflow.sdk.serde import deserialize, serialize

from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.client import TransportError
from airflow_provider_lake.exceptions import LakePermanentError, LakeTriggerError
from airflow_provider_lake.sensors.data import DataSensor
from airflow_provider_lake.triggers.data import DataTrigger
from tests.lake_process import LakeProcess

MODES = ["poke", "reschedule", "deferred"]
NUMBERS = count()


@pytest.fixture(autouse=True)
def _connection(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())


@pytest.fixture
def tag() -> str:
    """Return a tag that no other test uses."""
    return f"sensed-{next(NUMBERS)}"


@pytest.fixture
def upload(lake: LakeProcess, tmp_path: Path, tag: str) -> Callable[[int], None]:
    """Return what uploads photos with the tag."""

    def run(number: int) -> None:
        photos = make_photos(tmp_path / f"photos-{next(NUMBERS)}", number)
        lake.client().get_datalake().upload_data(photos, tags=[tag])

    return run


def _sensor(mode: str, **options: Any) -> DataSensor:
    return DataSensor(
        task_id="wait",
        deferrable=mode == "deferred",
        mode="reschedule" if mode == "reschedule" else "poke",
        **({"poke_interval": 0.05} | options),
    )


def _sense(sensor: DataSensor) -> Any:
    """Run a sensor as Airflow does, through its reschedules or its deferral."""
    began = datetime.now(UTC)
    context: Any = {"ti": SimpleNamespace(get_first_reschedule_date=lambda _context: began, try_number=1)}
    while True:
        try:
            return sensor.execute(context)
        except AirflowRescheduleException:
            continue
        except TaskDeferred as deferral:
            trigger = _travel(deferral.trigger)
            event = asyncio.run(_first(trigger))
            return sensor.execute_complete(context, event)


def _travel(trigger: Any) -> DataTrigger:
    """Make a trigger again of what goes through Airflow's database."""
    arguments = deserialize(serialize(trigger.serialize()[1]))
    assert isinstance(arguments, dict)
    return DataTrigger(**arguments)


async def _first(trigger: DataTrigger) -> Any:
    return (await anext(trigger.run())).payload


@pytest.mark.quick
@pytest.mark.parametrize("mode", MODES)
def test_it_waits_until_there_are_enough(mode: str, tag: str, upload: Callable[[int], None]) -> None:
    """What comes while it waits counts, and the summary is the same in every mode."""
    upload(1)
    sensor = _sensor(mode, tags=tag, min_count=3)

    async def run() -> Any:
        sensing = asyncio.create_task(asyncio.to_thread(_sense, sensor))
        await asyncio.to_thread(upload, 2)
        return await sensing

    summary = asyncio.run(run())

    assert summary == {"datalake": "default", "count": 3, "tags": [tag], "query": None}


@pytest.mark.parametrize("mode", MODES)
def test_only_finished_data_that_match_count(
    mode: str, tag: str, upload: Callable[[int], None], lake: LakeProcess, tmp_path: Path
) -> None:
    """One that is no image does not; nor does one that the query leaves out."""
    upload(2)
    (tmp_path / "words.jpg").write_text("words, not pixels")
    with pytest.raises(Exception, match="words"):
        lake.client().get_datalake().upload_data(tmp_path / "words.jpg", tags=[tag])

    assert _sense(_sensor(mode, tags=[tag], query="meta.width >= 1"))["count"] == 2
    assert _sense(_sensor(mode, tags=[tag], query="meta.width < 1", min_count=0))["count"] == 0


FATES: dict[str, tuple[dict[str, Any], type[Exception], set[str]]] = {
    "late": ({"timeout": 0.2}, AirflowSensorTimeout, {"soft_fail", "never_fail"}),
    "wrong query": ({"query": "meta.width >"}, LakePermanentError, {"soft_fail", "never_fail"}),
    "no selection": ({"tags": ""}, LakePermanentError, {"soft_fail", "never_fail"}),
    "unknown datalake": ({"datalake": "no such lake"}, LakePermanentError, {"soft_fail", "never_fail"}),
    "no answer": ({"lake_conn_id": "nobody", "outage_budget": 0}, TransportError, {"never_fail"}),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rule", ["plain", "soft_fail", "never_fail"])
@pytest.mark.parametrize("fate", FATES)
def test_the_outcome_is_the_same_in_every_mode(
    fate: str, rule: str, mode: str, tag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a retry cannot mend and what came too late skip softly; no answer skips only what never fails."""
    monkeypatch.setenv("AIRFLOW_CONN_NOBODY", '{"conn_type": "lake", "host": "http://127.0.0.1:9", "password": "x"}')
    options, error, skipping = FATES[fate]
    sensor = _sensor(mode, **({"tags": tag} | options | ({rule: True} if rule != "plain" else {})))

    with pytest.raises(AirflowSkipException if rule in skipping else error):
        _sense(sensor)


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({"status": "refused", "message": "why"}, LakePermanentError),
        (None, LakeTriggerError),
        ({"status": "success"}, LakeTriggerError),
    ],
)
def test_it_resumes_only_on_what_its_trigger_says(event: Any, error: type[Exception]) -> None:
    """Anything else is no success."""
    with pytest.raises(error):
        _sensor("deferred", tags="x").execute_complete({}, event)


def test_a_deadline_before_the_next_look_is_kept(tag: str) -> None:
    """However long the interval is: the wait ends then, and not with a look that comes too late."""
    trigger = DataTrigger(min_count=1, query=f'tags.name = "{tag}"', poll_interval=3600.0, deadline=time.time() + 0.2)

    assert asyncio.run(asyncio.wait_for(_first(trigger), 60))["status"] == "timeout"


def test_a_connection_that_does_not_exist_is_refused() -> None:
    """A retry would not find it either."""
    trigger = DataTrigger(min_count=1, query='filename = "x"', lake_conn_id="no_such_connection")

    assert asyncio.run(_first(trigger))["status"] == "refused"


def test_a_trigger_says_why_it_cannot_go_on(own_lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lake goes while it waits, for longer than was allowed."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", own_lake.connection())
    own_lake.stop()

    payload = asyncio.run(_first(DataTrigger(min_count=1, query='filename = "x"', outage_budget=0.0)))

    assert payload["status"] == "outage"
    assert str(own_lake.port) in payload["message"]
