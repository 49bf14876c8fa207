"""Parsing a DAG stays cheap."""

import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[3] / "airflow_provider_lake"
# What DAG files, workers and triggerers import: every module of these folders but a few, and these modules.
FOLDERS = ("assets", "files", "hooks", "ingest", "links", "operators", "sensors", "tasks", "triggers")
# Loaded where a poller is made: they know the client.
LOADED_LATE = {"triggers/polling/schedule.py", "triggers/polling/thread.py"}
MODULES = ("arguments", "exceptions", "retry_policy", "configuration", "cli.airflow_commands")
HEAVY = {
    *("requests", "urllib3", "PIL", "av", "boto3", "botocore", "pycurl", "aiohttp"),
    *("fastapi", "starlette", "sqlalchemy", "alembic", "granian", "lark", "rich", "openlineage"),
}
PROGRAM = """
import sys
from importlib import import_module
import_module(sys.argv[1])
before = set(sys.modules)
for name in sys.argv[2:]:
    import_module(name)
print(*sorted(set(sys.modules) - before))
"""


def _modules() -> list[str]:
    files = [
        file
        for folder in FOLDERS
        for file in (PACKAGE / folder).rglob("*.py")
        if file.name != "__init__.py" and file.relative_to(PACKAGE).as_posix() not in LOADED_LATE
    ]
    names = [".".join(file.relative_to(PACKAGE).with_suffix("").parts) for file in files]
    return [f"{PACKAGE.name}.{name}" for name in (*names, *MODULES)]


def _added_by(*modules: str, base: str = "airflow.sdk") -> set[str]:
    """Return the modules that importing some adds to those of another."""
    command = [sys.executable, "-c", PROGRAM, base, *modules]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_what_dags_import_loads_no_heavy_library() -> None:
    """Beyond what `airflow.sdk` imports itself, nothing of the client's, Pillow's or the server's needs is loaded.

    Client and server themselves load in the functions that use them.
    """
    modules = _modules()

    added = _added_by(*modules)

    assert set(modules) <= added
    assert HEAVY & {name.partition(".")[0] for name in added} == set()
    assert [name for name in added if name.startswith((f"{PACKAGE.name}.client", f"{PACKAGE.name}.server"))] == []


def test_airflow_starts_without_any_of_our_modules_but_two() -> None:
    """What Airflow reads at every start, whether a DAG uses the lake or not, imports nothing else of ours."""
    added = _added_by(
        "airflow.sdk", f"{PACKAGE.name}.get_provider_info", f"{PACKAGE.name}.cli.airflow_commands", base="os"
    )

    assert {each for each in added if each.startswith(PACKAGE.name)} == {
        PACKAGE.name,
        f"{PACKAGE.name}.get_provider_info",
        f"{PACKAGE.name}.cli",
        f"{PACKAGE.name}.cli.airflow_commands",
    }
