"""A real lake process for the tests of the wire."""

from collections.abc import Iterator

import pytest

from tests.lake_process import LakeProcess
from tests.wire.lake_api import LakeApi


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LakeProcess]:
    """Run one embedded lake for all tests that need not stop it."""
    with LakeProcess(tmp_path_factory.mktemp("lake") / "data") as process:
        yield process


@pytest.fixture
def own_lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LakeProcess]:
    """Run a lake for one test alone: empty, and to be stopped at will."""
    with LakeProcess(tmp_path_factory.mktemp("own-lake") / "data") as process:
        yield process


@pytest.fixture
def api(lake: LakeProcess) -> LakeApi:
    """Call the lake's API without any client."""
    return LakeApi(lake)
