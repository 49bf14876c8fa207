"""The directions that DESIGN.md draws between folders: imports run down only, also those for types alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "airflow_provider_lake"
NAME = PACKAGE.name

# Folders and modules from top to bottom: each may import itself and what stands in the lines below it. Of two in one
# line, neither may import the other.
ORDER = (
    "cli",
    "operators sensors",
    "ingest triggers",
    "triggers.polling",
    "tasks",
    "assets links",
    "hooks",
    "tasks.summaries.py",
    "files configuration.py retry_policy.py",
    "arguments.py",
    "exceptions.py",
    "processings get_provider_info.py",
    "client",
    "client.client.py",
    "client.datalake.py",
    "client.uploads.py",
    "client.listing",
    "client.resources",
    "client.transfers",
    "client.transport",
    "client.arguments.py",
    "client.errors.py client.concurrency",
    "server",
    "server.processes.py",
    "server.http",
    "server.http.routes",
    "server.http.dependencies.py server.http.request_check.py",
    "server.http.schemas",
    "server.http.auth",
    "server.work",
    "server.work.jobs server.work.media",
    "server.bootstrap.py",
    "server.context.py",
    "server.work.readers",
    "server.secret_files.py server.store.queries",
    "server.blobs server.store.migrations server.store.query_language",
    "server.store",
    "server.settings.py server.errors.py server.row_ids.py",
    "media",
    "text",
    "__init__.py",
)
LEVELS = {place: level for level, line in enumerate(ORDER) for place in line.split()}

SERVER_LIBRARIES = {"fastapi", "starlette", "sqlalchemy", "alembic", "granian", "lark", "python_multipart"}
AIRFLOW = ("assets", "files", "hooks", "ingest", "links", "operators", "sensors", "tasks", "triggers")
# Folder to the libraries, and folders of ours, that it never imports: these meet only on the wire.
FORBIDDEN = {
    "text": {"airflow", "requests", "pycurl", "boto3", *SERVER_LIBRARIES},
    "media": {"airflow", "requests", "pycurl", "boto3", *SERVER_LIBRARIES},
    "client": {"airflow", "boto3", "server", *SERVER_LIBRARIES},
    "server": {"airflow", "requests", "pycurl", "client"},
    "processings": {"airflow", "server", *SERVER_LIBRARIES},
    **{folder: {"server", "processings", *SERVER_LIBRARIES} for folder in AIRFLOW},
}


def _modules() -> dict[str, Path]:
    """Return all modules by their dotted names."""
    files = {".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path for path in PACKAGE.rglob("*.py")}
    return {name.removesuffix(".__init__"): path for name, path in files.items()}


MODULES = _modules()


def _imports(path: Path) -> Iterator[str]:
    """Yield the dotted names of what a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else node.module for name in names)


def _own_imports(path: Path) -> Iterator[Path]:
    yield from (found for name in _imports(path) if (found := MODULES.get(name)) is not None and found != path)


def _place(path: Path) -> str:
    """Return the place in ORDER that a file belongs to: its own, or the nearest folder's."""
    relative = path.relative_to(PACKAGE)
    places = [".".join(path.parts) for path in (relative, *relative.parents)]
    return next(place for place in places if place in LEVELS)


def test_every_file_has_a_place() -> None:
    """A new folder needs a line in ORDER, and a line without files is taken out."""
    assert {_place(path) for path in MODULES.values()} == set(LEVELS)


def test_imports_run_down_only() -> None:
    """No file imports from a place above its own, or beside it."""
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {imported.relative_to(PACKAGE)}"
        for path in MODULES.values()
        for imported in _own_imports(path)
        if (place := _place(path)) != (other := _place(imported)) and LEVELS[place] >= LEVELS[other]
    ]

    assert wrong == []


def test_no_modules_import_each_other() -> None:
    """There are no circles, however long."""
    left = {path: set(_own_imports(path)) for path in MODULES.values()}
    while leaves := [path for path, imported in left.items() if not imported & left.keys()]:
        for leaf in leaves:
            del left[leaf]

    assert sorted(str(path.relative_to(PACKAGE)) for path in left) == []


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_a_folder_stays_away_from_what_is_not_its_own(folder: str) -> None:
    """No file of the folder imports, anywhere in it, what the folder has nothing to do with."""
    tops = {
        path: {name.removeprefix(f"{NAME}.").split(".")[0] for name in _imports(path)}
        for path in (PACKAGE / folder).rglob("*.py")
    }

    assert tops
    assert {str(path): names & FORBIDDEN[folder] for path, names in tops.items() if names & FORBIDDEN[folder]} == {}


def test_only_the_store_in_s3_knows_boto3() -> None:
    """Everything else of the lake works on any store."""
    knowing = {
        path.name
        for path in (PACKAGE / "server").rglob("*.py")
        if {"boto3", "botocore"} & {name.split(".")[0] for name in _imports(path)}
    }

    assert knowing == {"s3.py"}
