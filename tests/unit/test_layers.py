"""The directions that DESIGN.md draws between the layers."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "airflow_provider_lake"
NAME = PACKAGE.name
AIRFLOW_PARTS = {"hooks", "operators", "sensors", "triggers", "exceptions", "links", "assets"}
SERVER_LIBRARIES = {"fastapi", "starlette", "sqlalchemy", "alembic", "granian", "lark", "python_multipart"}

# Layer to the top-level modules, and layers of ours, that it may not import.
FORBIDDEN = {
    "media": {
        *{"airflow", "requests", "pycurl", "boto3", "client", "server", "cli", "processings"},
        *SERVER_LIBRARIES,
        *AIRFLOW_PARTS,
    },
    "client": {"airflow", *SERVER_LIBRARIES, "boto3", "server", "cli", "processings", *AIRFLOW_PARTS},
    "server": {"airflow", "requests", "client", "cli", "processings", *AIRFLOW_PARTS},
    "processings": {"airflow", *SERVER_LIBRARIES, "server", "cli", *AIRFLOW_PARTS},
    "hooks": {*SERVER_LIBRARIES, "server", "cli", "operators", "sensors", "triggers", "links"},
    "links": {*SERVER_LIBRARIES, "server", "cli", "operators", "sensors", "triggers"},
    "triggers": {*SERVER_LIBRARIES, "server", "cli", "operators", "sensors"},
    "operators": {*SERVER_LIBRARIES, "server", "cli"},
    "sensors": {*SERVER_LIBRARIES, "server", "cli"},
}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            parts = name.split(".")
            yield parts[1] if parts[0] == NAME and len(parts) > 1 else parts[0]


def test_only_the_store_in_s3_knows_boto3() -> None:
    """Everything else of the lake works on any store."""
    knowing = {path.name for path in (PACKAGE / "server").rglob("*.py") if {"boto3", "botocore"} & set(_imports(path))}

    assert knowing == {"s3.py"}


@pytest.mark.parametrize("layer", FORBIDDEN)
def test_a_layer_imports_only_what_lies_below_it(layer: str) -> None:
    """No file of the layer imports, anywhere in it, a layer above or beside it."""
    files = list((PACKAGE / layer).rglob("*.py"))
    wrong = {
        str(path.relative_to(PACKAGE)): names for path in files if (names := FORBIDDEN[layer] & set(_imports(path)))
    }

    assert files
    assert wrong == {}
