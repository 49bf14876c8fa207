"""The order of a list that a request specifies."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

from airflow_provider_lake.server.errors import BadRequestError

_SHOWN = 80


def order_clauses(
    columns: Mapping[str, InstrumentedAttribute[Any]], order_by: Sequence[str]
) -> list[ColumnElement[Any]]:
    """Return the clauses of an ORDER BY.

    :param columns: the fields that can be ordered by.
    :param order_by: their names, ``-`` before one that descends.
    :raises BadRequestError: one of them is not among the fields.
    """
    clauses: list[ColumnElement[Any]] = []
    for name in order_by:
        column = columns.get(name.removeprefix("-"))
        if column is None:
            raise BadRequestError(f"cannot order by {name[:_SHOWN]!r}; known fields: {', '.join(columns)}")
        clauses.append(column.desc() if name.startswith("-") else column.asc())
    return clauses
