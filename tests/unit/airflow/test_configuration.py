"""The section `[lake]` of Airflow's configuration, and the links that it shapes."""

import logging
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from airflow_provider_lake import configuration
from airflow_provider_lake.get_provider_info import get_provider_info
from airflow_provider_lake.links import lake as links
from airflow_provider_lake.sensors.data import DataSensor
from airflow_provider_lake.sensors.job import JobSensor
from airflow_provider_lake.triggers.data import DataTrigger
from airflow_provider_lake.triggers.job import JobTrigger

LAKE_ID = UUID("5b2d8a2e-6f5f-4a43-8f0f-2b1f4c3f0a11")


class _Task:
    """What a running task is given, as far as links need it."""

    def __init__(self) -> None:
        self.pushed: dict[str, str] = {}

    def xcom_push(self, key: str, value: str) -> None:
        """Keep a value."""
        self.pushed[key] = value


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Run the test as if within a task; return what it pushes."""
    task = _Task()
    monkeypatch.setattr("airflow.sdk.get_current_context", lambda: {"ti": task})
    return task.pushed


def _datalake(host: str = "https://lake.example.com") -> Any:
    session = SimpleNamespace(host=host, organization_id=UUID(int=7))
    return SimpleNamespace(session=session, id=LAKE_ID, name="day & night")


def _client(host: str = "https://lake.example.com") -> Any:
    return SimpleNamespace(host=host, organization_id=UUID(int=7))


def test_the_described_defaults_are_those_that_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow's own listing of the options says what happens without them; a variable changes it."""
    options = get_provider_info()["config"][configuration.SECTION]["options"]

    assert float(options["poll_interval"]["default"]) == configuration.POLL_INTERVAL_SECONDS == 5
    assert float(options["outage_budget"]["default"]) == configuration.OUTAGE_BUDGET_SECONDS == 600
    for option in ("datalake_url", "data_url", "job_url"):
        assert f"``{getattr(configuration, option.upper())}``" in options[option]["description"]
    assert (configuration.poll_interval(), configuration.outage_budget()) == (5, 600)
    monkeypatch.setenv("AIRFLOW__LAKE__POLL_INTERVAL", "30")
    assert configuration.poll_interval() == 30


@pytest.mark.parametrize(
    ("kind", "what"), [(JobTrigger, {"job_id": "a"}), (DataTrigger, {"min_count": 1, "query": "q"})]
)
def test_a_trigger_that_is_used_alone_follows_the_configuration(
    kind: type[JobTrigger | DataTrigger], what: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As operators and sensors do; what it is told itself wins, none at all too."""
    monkeypatch.setenv("AIRFLOW__LAKE__OUTAGE_BUDGET", "60")

    assert kind(**what).serialize()[1]["outage_budget"] == 60
    assert kind(**what, outage_budget=0.0).serialize()[1]["outage_budget"] == 0


def test_links_lead_to_the_host_of_the_connection(pushed: dict[str, str]) -> None:
    """Names and queries are quoted, whatever they hold."""
    links.show_datalake(_datalake())
    links.show_data(_datalake(), ["a b", "c&d"], 'filename ~ "#"')
    links.show_job(_client(), "17")

    assert pushed == {
        "_link_LakeDatalakeLink": f"https://lake.example.com/datalake/{LAKE_ID}",
        "_link_LakeDataLink": f"https://lake.example.com/datalake/{LAKE_ID}"
        "?tag=a%20b&tag=c%26d&q=filename%20~%20%22%23%22",
        "_link_LakeJobLink": "https://lake.example.com/job/17",
    }


def test_all_of_several_tags_are_a_query(pushed: dict[str, str]) -> None:
    """For tags in an address mean any of them."""
    links.show_data(_datalake(), ["a", "b"], None, intersect_tags=True)

    assert pushed["_link_LakeDataLink"].endswith("?q=tags.name%20%3D%20%22a%22%20and%20tags.name%20%3D%20%22b%22")


def test_nothing_selected_is_no_link(pushed: dict[str, str]) -> None:
    """It would lead to the whole datalake, as the other link does; Airflow is told so, and need not complain of it."""
    links.show_data(_datalake())

    assert pushed == {"_link_LakeDataLink": ""}


def test_the_patterns_can_be_set(pushed: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where people reach the lake by another address than workers do, or its pages lie elsewhere."""
    monkeypatch.setenv("AIRFLOW__LAKE__DATALAKE_URL", "https://lake.example.org/{organization_id}/{datalake}")
    monkeypatch.setenv("AIRFLOW__LAKE__JOB_URL", "https://lake.example.org/jobs?id={job_id}")

    links.show_datalake(_datalake("http://lake:8765"))
    links.show_job(_client("http://lake:8765"), "17")

    assert pushed == {
        "_link_LakeDatalakeLink": f"https://lake.example.org/{UUID(int=7)}/day%20%26%20night",
        "_link_LakeJobLink": "https://lake.example.org/jobs?id=17",
    }


@pytest.mark.parametrize("pattern", ["{nonsense}", "{", "{0}", "{host.nothing}"])
def test_a_pattern_that_cannot_be_filled_fails_no_task(
    pushed: dict[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, pattern: str
) -> None:
    """The log says which."""
    monkeypatch.setenv("AIRFLOW__LAKE__JOB_URL", pattern)

    with caplog.at_level(logging.WARNING):
        links.show_job(_client(), "17")

    assert pushed == {}
    assert repr(pattern) in caplog.text


def test_credentials_in_a_host_stay_out_of_links(pushed: dict[str, str]) -> None:
    """Some people write them into the host of a connection."""
    links.show_datalake(_datalake("https://user:secret@lake.example.com:8443"))
    links.show_job(_client("https://user:secret@lake.example.com:8443"), "17")

    assert all(url.startswith("https://lake.example.com:8443/") for url in pushed.values())
    assert len(pushed) == 2


def test_outside_of_a_task_nothing_is_shown() -> None:
    """A hook or an operator that is called by hand has no task to link from."""
    links.show_datalake(_datalake())


def test_sensors_begin_with_what_the_section_says() -> None:
    """As its description promises: jobs and data alike."""
    for sensor in (JobSensor(task_id="job", job_id="17"), DataSensor(task_id="data", tags="x")):
        assert sensor.poke_interval == configuration.POLL_INTERVAL_SECONDS
        assert sensor.outage_budget == configuration.OUTAGE_BUDGET_SECONDS


@pytest.mark.parametrize("given", ["1h", "-1", "nan", "inf"])
def test_a_duration_that_is_none_names_its_option(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where DAGs are parsed, which read it for each operator."""
    monkeypatch.setenv("AIRFLOW__LAKE__OUTAGE_BUDGET", given)

    with pytest.raises(ValueError, match=r"^option outage_budget in section \[lake\] .* must be seconds"):
        configuration.outage_budget()
