"""Statements that are given many rows as one JSON text, which the database takes apart.

A statement that is given its rows one by one passes the driver, and Python's interpreter lock, once for each of them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Dialect,
    Executable,
    String,
    Text,
    bindparam,
    cast,
    func,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.elements import KeyedColumnElement
from sqlalchemy.types import JSON, TypeEngine

_ROWS = "rows"


class JsonStatement:
    """A statement over rows that it is given, on one kind of database.

    :param columns: those that each row has values of.
    :param build: returns the statement; it is given, by the columns' names, what stands in it for the values of a row.
    """

    def __init__(
        self,
        dialect: Dialect,
        columns: Sequence[KeyedColumnElement[Any]],
        build: Callable[[Mapping[str, ColumnElement[Any]]], Executable],
    ) -> None:
        is_postgresql = dialect.name == "postgresql"
        text = bindparam(_ROWS, type_=Text)
        rows = func.jsonb_array_elements(cast(text, JSONB)) if is_postgresql else func.json_each(text)
        row = rows.table_valued("value", name="given").c.value
        value = _value_in_postgresql if is_postgresql else _value_in_sqlite
        self._statement = build({each.name: value(row, place, each.type) for place, each in enumerate(columns)})
        self._processors = [_processor(dialect, each.type) for each in columns]

    def run(self, connection: Connection, rows: Iterable[Iterable[Any]]) -> CursorResult[Any]:
        """Execute it.

        :param rows: the values of each row, in the order of the columns.
        """
        values = [
            [value if process is None else process(value) for value, process in zip(row, self._processors, strict=True)]
            for row in rows
        ]
        return connection.execute(self._statement, {_ROWS: orjson.dumps(values).decode()})


def _processor(dialect: Dialect, of_type: TypeEngine[Any]) -> Callable[[Any], Any] | None:
    """Return what makes a value what the database stores; JSON stays what it is, since all of it becomes JSON."""
    return None if isinstance(of_type, JSON) else of_type.dialect_impl(dialect).bind_processor(dialect)


def _value_in_postgresql(row: ColumnElement[Any], place: int, of_type: TypeEngine[Any]) -> ColumnElement[Any]:
    text = row.op("->>")(place)
    # To cast a text that is too long would cut it.
    return type_coerce(text, of_type) if isinstance(of_type, String) else cast(text, of_type)


def _value_in_sqlite(row: ColumnElement[Any], place: int, of_type: TypeEngine[Any]) -> ColumnElement[Any]:
    return type_coerce(func.json_extract(row, f"$[{place}]"), of_type)
