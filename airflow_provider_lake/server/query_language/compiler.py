"""Tree to condition."""

from sqlalchemy import ColumnElement, and_, not_, or_

from airflow_provider_lake.server.query_language.fields import find_field
from airflow_provider_lake.server.query_language.parser import parse
from airflow_provider_lake.server.query_language.tree import And, Comparison, Node, Not, Or


def compile_query(text: str) -> ColumnElement[bool]:
    """Return the condition over ``Data`` that a query asks for.

    :raises InvalidQueryError: the query cannot be understood.
    """
    return compile_tree(parse(text))


def compile_tree(node: Node) -> ColumnElement[bool]:
    """Return the condition of a parsed query."""
    match node:
        case And(operands):
            return and_(*map(compile_tree, operands))
        case Or(operands):
            return or_(*map(compile_tree, operands))
        case Not(operand):
            return not_(compile_tree(operand))
        case Comparison():
            return _compile_comparison(node)


def _compile_comparison(comparison: Comparison) -> ColumnElement[bool]:
    field = find_field(comparison.field)
    if field is None:
        raise ValueError(f"unknown field {comparison.field!r}")
    opposite = comparison.operator.opposite
    if opposite is not None:
        return not_(field.condition(opposite, comparison.value))
    return field.condition(comparison.operator, comparison.value)
