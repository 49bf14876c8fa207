"""One real Airflow and one real lake for all end-to-end tests."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.airflow_stack import AirflowStack
from tests.e2e.browser import open_browser
from tests.fault_proxy import FaultProxy, fault_proxy
from tests.lake_process import LakeProcess

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LakeProcess]:
    """Run an embedded lake."""
    with LakeProcess(tmp_path_factory.mktemp("lake") / "data", is_preloaded=True) as process:
        yield process


@pytest.fixture(scope="module")  # an event loop runs as long as a browser: tests of other files have their own
def browser() -> Iterator[Browser]:
    """Start a browser for the tests of a file."""
    with open_browser() as started:
        yield started


@pytest.fixture(scope="session")
def network(lake: LakeProcess) -> Iterator[FaultProxy]:
    """Carry what goes by the connection ``lake_network``; it breaks nothing unless a test says so."""
    with fault_proxy(lake.url, 0, seed=1) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def airflow(lake: LakeProcess, network: FaultProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AirflowStack]:
    """Run an Airflow that finds the example DAGs, the tests' own, and the lake."""
    home = tmp_path_factory.mktemp("airflow")
    dags = home / "dags"
    dags.mkdir()
    for folder in (ROOT / "example_dags", ROOT / "tests" / "e2e" / "dags"):
        for file in folder.glob("*.py"):
            (dags / file.name).symlink_to(file)
    environment = {
        # What Airflow keeps can then be searched for what should not be in it.
        "AIRFLOW__CORE__FERNET_KEY": "",
        "AIRFLOW_CONN_LAKE_DEFAULT": lake.connection(extra=json.dumps({"timeout": 20})),
        "AIRFLOW_CONN_LAKE_NETWORK": lake.connection(host=network.url),
        "AIRFLOW_CONN_LAKE_WRONG_TOKEN": lake.connection(password="not-the-token"),
        "AIRFLOW_CONN_LAKE_UNREACHABLE": lake.connection(host="http://127.0.0.1:9"),
    }
    with AirflowStack(home / "home", dags, environment) as stack:
        yield stack
