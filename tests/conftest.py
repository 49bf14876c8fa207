"""Options and schedule of the tests, and what holds for all of their processes."""

import os
import sys
from pathlib import Path

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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order the tests, and group those that share servers: a group runs in one process of pytest-xdist."""
    if config.getoption("--quick"):
        config.hook.pytest_deselected(items=[item for item in items if not _is_quick(item)])
        items[:] = [item for item in items if _is_quick(item)]
    items.sort(key=lambda item: _FOLDERS.index(_folder(item)))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))


def _is_quick(item: pytest.Item) -> bool:
    return _folder(item) == "unit" or item.get_closest_marker("quick") is not None


def _folder(item: pytest.Item) -> str:
    """Return the kind of a test: the folder of ``tests`` that it lies in."""
    return item.path.relative_to(Path(__file__).parent).parts[0]


def _group(item: pytest.Item) -> str:
    """Return the name of the server that is started once for all who need it, else the test's own file."""
    fixtures: list[str] = getattr(item, "fixturenames", [])
    shared = [name for name in ("airflow", "s3") if name in fixtures]
    return shared[0] if shared and _folder(item) != "unit" else str(item.path)
