"""What can be wrong with a query."""

from airflow_provider_lake.server.errors import BadRequestError


class InvalidQueryError(BadRequestError):
    """A query that cannot be understood.

    :param problem: what is wrong, and what would be right.
    :param column: where, counted in characters from 1.
    """

    def __init__(self, problem: str, column: int) -> None:
        super().__init__(f"invalid query, column {column}: {problem}", {"column": column})
        self.column = column
