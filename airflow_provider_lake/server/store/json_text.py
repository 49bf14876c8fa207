"""Values of columns as the text of a response: the database formats it, and nothing parses it in between."""

from typing import Any

from sqlalchemy import ColumnElement, Text, cast, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

_UUID_PARTS = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))


class UuidText(FunctionElement[str]):
    """A UUID as text, with its dashes: SQLite stores it without them."""

    type = Text()
    inherit_cache = True

    def __init__(self, column: InstrumentedAttribute[Any]) -> None:
        super().__init__(column)


@compiles(UuidText)
def _compile_uuid_text(element: UuidText, compiler: SQLCompiler, **options: Any) -> str:
    stored = compiler.process(next(iter(element.clauses)), **options)
    if compiler.dialect.name == "postgresql":
        return f"CAST({stored} AS TEXT)"
    return " || '-' || ".join(f"substr({stored}, {first}, {length})" for first, length in _UUID_PARTS)


def json_text(column: InstrumentedAttribute[Any]) -> ColumnElement[str | None]:
    """Return the text of a JSON column; NULL where it has no value."""
    return cast(type_coerce(column, Text), Text)
