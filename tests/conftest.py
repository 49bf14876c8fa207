"""Options and schedule of the tests, and what holds for all of their processes."""

import os
import sys
from pathlib import Path
from typing import Any

import hypothesis
import pytest

# Tests start hundreds of processes. Where no bytecode is wanted beside the sources, the environment keeps it: without
# any, each process would compile again all that it imports, which takes longer than the rest of most tests.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", None) is not None:
    sys.dont_write_bytecode = False
    sys.pycache_prefix = os.environ.setdefault("PYTHONPYCACHEPREFIX", str(Path(sys.prefix) / "bytecode"))

# Examples are the same in every run of continuous integration; elsewhere they are random. A slow machine fails none.
hypothesis.settings.register_profile("random", deadline=None, print_blob=True)
hypothesis.settings.register_profile("repeatable", deadline=None, print_blob=True, derandomize=True, database=None)
hypothesis.settings.load_profile("repeatable" if os.environ.get("CI") else "random")

# The longest first, so that no process is left alone with them at the end.
_FOLDERS = ("e2e", "wire", "unit")
_QUICK = "@pytest.mark.quick"
_WITHOUT_AIRFLOW_STACK = {"test_dags_test.py", "test_lake_pages.py"}
_WITH_S3_SERVER = {"test_blob_stores.py", "test_s3_lake.py"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    parser.addoption(
        "--quick", action="store_true", help="run the unit tests, and of the others those that are marked quick"
    )
    parser.addoption("--kills", type=int, default=10, help="how often the lake is killed in its test (10)")
    parser.addoption("--task-kills", type=int, default=3, help="how often the process of an upload is killed (3)")
    parser.addoption("--waits", type=int, default=12, help="how many tasks wait through an outage (12)")
    parser.addoption("--outage", type=float, default=0, help="how many seconds it lasts at least (0)")
    parser.addoption("--kill-seed", type=int, default=1, help="chooses the moments of the kills (1)")
    parser.addoption(
        "--corpus", type=Path, help="folder of foreign files that every way into the lake is tried on, too"
    )
    parser.addoption("--fuzz-seconds", type=int, default=0, help="how long each fuzz test goes on, with ever new input")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what `--quick` need not import."""
    is_left = config.getoption("--quick") and collection_path.name.startswith("test_")
    return (
        True if is_left and _folder(collection_path) != "unit" and _QUICK not in collection_path.read_text() else None
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Choose and order the tests."""
    if config.getoption("--quick"):
        config.hook.pytest_deselected(items=[item for item in items if not _is_quick(item)])
        items[:] = [item for item in items if _is_quick(item)]
    items.sort(key=lambda item: _FOLDERS.index(_folder(item.path)))


def _is_quick(item: pytest.Item) -> bool:
    return _folder(item.path) == "unit" or item.get_closest_marker("quick") is not None


def _folder(path: Path) -> str:
    """Return the kind of a test: the folder of ``tests`` that it lies in."""
    return path.relative_to(Path(__file__).parent).parts[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Have tests that share servers run in one process. The groups of pytest-xdist need an older pytest than 9.2."""
    from xdist.scheduler import LoadScopeScheduling

    schedule: Any = LoadScopeScheduling(config, log)
    is_quick = config.getoption("--quick")
    schedule._split_scope = lambda nodeid: _group(config.rootpath / nodeid.partition("::")[0], is_quick=is_quick)
    return schedule


def _group(path: Path, *, is_quick: bool) -> str:
    """Return what a file's tests share, if anything, with those of other files."""
    folder = _folder(path)
    if folder == "wire" and is_quick:
        return "lake"
    if folder == "e2e" and path.name not in _WITHOUT_AIRFLOW_STACK:
        return "Airflow stack"
    return "S3 server" if path.name in _WITH_S3_SERVER else str(path)
