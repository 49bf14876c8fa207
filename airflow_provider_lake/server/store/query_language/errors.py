"""Errors of queries."""

from airflow_provider_lake.server.errors import BadRequestError


class InvalidQueryError(BadRequestError):
    """A query that is invalid.

    :param problem: what is wrong, and what was expected.
    :param column: where, counted in characters from 1.
    """

    def __init__(self, problem: str, column: int) -> None:
        super().__init__(f"invalid query, column {column}: {problem}", {"column": column})
        self.column = column
