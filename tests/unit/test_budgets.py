"""Files keep one subject and functions fit a screen."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES = [
    path
    for folder in ("airflow_provider_lake", "example_dags")
    for path in (ROOT / folder).rglob("*.py")
    # A migration is one long list, and so is what Airflow is told.
    if path.parent.name != "versions" and path.name != "get_provider_info.py"
]
MAX_FILE_LINES = 400
MAX_BODY_LINES = 40


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function without signature and docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_files_keep_one_subject() -> None:
    """No file grows beyond 400 lines."""
    long = {
        str(path.relative_to(ROOT)): lines
        for path in FILES
        if (lines := len(path.read_text().splitlines())) > MAX_FILE_LINES
    }

    assert long == {}


def test_functions_fit_a_screen() -> None:
    """No function body grows beyond 40 lines."""
    long = {
        f"{path.relative_to(ROOT)}:{node.name}": lines
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (lines := _body_lines(node)) > MAX_BODY_LINES
    }

    assert long == {}
