"""The code has one name for each concept: docs/glossary.md."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# A row of the glossary ends with the words that are not used; those in backticks stand in no identifier.
ROW = re.compile(r"^\|.*\|([^|]*)\|$", re.MULTILINE)


def _identifiers(path: Path) -> Iterator[str]:
    """Yield the names that a module gives: its own, and those of its classes, functions, arguments and variables."""
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def _words(identifier: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", identifier)}


def test_no_identifier_has_a_word_that_the_glossary_replaces() -> None:
    """Neither alone nor as a part of a longer name."""
    columns = ROW.findall((ROOT / "docs" / "glossary.md").read_text())
    replaced = {word for column in columns for word in re.findall(r"`(\w+)`", column)}
    wrong = {
        f"{path.relative_to(ROOT)}: {identifier}"
        for path in (ROOT / "airflow_provider_lake").rglob("*.py")
        for identifier in _identifiers(path)
        if _words(identifier) & replaced
    }

    assert replaced
    assert sorted(wrong) == []
