"""Detects text that a template rendered from a list, a mapping or None."""

import ast
import json
import reprlib
from typing import Any

NATIVE = (
    "where a template should give a list, a mapping or nothing, the DAG needs render_template_as_native_obj=True, "
    "for otherwise it gives text"
)
MAX_SHOWN = 80
_BRACKETS = {"[": "]", "(": ")", "{": "}"}
# The representations of lazy sequences and other objects that are not text.
_LAZY_REPRESENTATIONS = (
    "LazyXComSequence(",
    "LazySelectSequence(",
    "<generator object ",
    "dict_values([",
    "dict_keys([",
)
_CONTAINERS = ast.List | ast.Tuple | ast.Set | ast.Dict


def shorten(value: Any) -> str:
    """Return the representation of a value, shortened if it is long, for a one-line message."""
    shown = reprlib.Repr()
    shown.maxstring = shown.maxother = shown.maxlong = MAX_SHOWN
    text = " ".join(shown.repr(value).split())
    return text if len(text) <= 2 * MAX_SHOWN else f"{text[: 2 * MAX_SHOWN]}…"


def is_rendered_value(text: str) -> bool:
    """Whether a text looks like a list, a mapping or None rendered by a template, so that it is hardly intended."""
    text = text.strip()
    if text == "None" or text.startswith(_LAZY_REPRESENTATIONS):
        return True
    if _BRACKETS.get(text[:1]) != text[-1:]:
        return False
    return _is_python(text) or _is_json(text) or text.startswith("[<")


def _is_python(text: str) -> bool:
    """Whether a text is a Python literal of a container with values: ``[a-z]`` and ``{stem}`` contain none."""
    try:
        body = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return isinstance(body, _CONTAINERS) and all(map(_is_value, ast.iter_child_nodes(body)))


def _is_value(node: ast.AST) -> bool:
    if isinstance(node, ast.UnaryOp):
        return _is_value(node.operand)
    # Paths, ids and dates are represented as calls: PosixPath('a.jpg').
    if isinstance(node, ast.Name):
        return node.id in {"nan", "inf"}
    return isinstance(node, ast.Constant | ast.Call | ast.Load | _CONTAINERS)


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list | dict)
    except (ValueError, RecursionError):
        return False
