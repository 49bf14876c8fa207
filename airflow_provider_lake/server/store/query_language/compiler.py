"""Compiles a parsed query to a condition."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, not_, or_

from airflow_provider_lake.server.store.metadata_text import MetadataText
from airflow_provider_lake.server.store.query_language.fields import find_field
from airflow_provider_lake.server.store.query_language.parser import parse
from airflow_provider_lake.server.store.query_language.tree import And, Comparison, Node, Not, Operator, Or
from airflow_provider_lake.server.store.tables import INDEXED_METADATA, Data

_INDEXED = {f"metadata.{key}": key for key in INDEXED_METADATA}


@dataclass(frozen=True, slots=True)
class Filter:
    """A compiled query: data match if all of this holds. Parts that an index can find are separate.

    :param condition: over ``Data``; None if the other parts cover the query.
    :param tag_names: the data have one of these tags; None: no restriction.
    :param narrowing: conditions that have an index.
    :param is_selective: so few data match that reading all data in their order would be slower.
    """

    condition: ColumnElement[bool] | None = None
    tag_names: tuple[str, ...] | None = None
    narrowing: tuple[ColumnElement[bool], ...] = ()
    is_selective: bool = False


def compile_filter(text: str) -> Filter:
    """Compile the text of a query.

    :raises InvalidQueryError: the query cannot be understood.
    """
    tree = parse(text)
    if isinstance(tree, Comparison | Or):
        return _compile_indexed(tree) or Filter(compile_tree(tree))
    served = [found for each in _conjuncts(tree) if (found := _compile_indexed(each)) is not None]
    # Only one tag can lead: no index has the data of several tags in order.
    tag_names = next((each.tag_names for each in served if each.tag_names and len(each.tag_names) == 1), None)
    narrowing = tuple(condition for each in served for condition in each.narrowing)
    return Filter(compile_tree(tree), tag_names, narrowing, is_selective=any(each.is_selective for each in served))


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


def _conjuncts(node: Node) -> tuple[Node, ...]:
    return node.operands if isinstance(node, And) else ()


def _compile_indexed(node: Node) -> Filter | None:
    """Compile a comparison that one index answers; None if none does."""
    match node:
        case Comparison("tags.name", Operator.EQUAL, str(name)):
            return Filter(tag_names=(name,))
        case Comparison("tags.name", Operator.IN, tuple(names)):
            return Filter(tag_names=tuple(dict.fromkeys(map(str, names))))
        case Comparison(field, Operator.EQUAL, str(value)) if field in _INDEXED:
            return Filter(narrowing=(MetadataText(_INDEXED[field], Data.metadata_) == value,))
        case Or(operands):
            ranges = [_range_of(operand) for operand in operands]
            if all(each is not None for each in ranges):
                narrowing = or_(*(each for each in ranges if each is not None))
                return Filter(compile_tree(node), narrowing=(narrowing,), is_selective=True)
    return None


def _range_of(node: Node) -> ColumnElement[bool] | None:
    """Return a range of an index that contains all matches of a condition; None if that is not a small part of it."""
    match node:
        case Comparison(field, Operator.EQUAL, str(value)) if field in _INDEXED:
            return MetadataText(_INDEXED[field], Data.metadata_) == value
        case And(
            (
                Comparison(field, Operator.GREATER_OR_EQUAL, str(first)),
                Comparison(other, Operator.LESS, str(end)),
            )
        ) if field == other and field in _INDEXED:
            text = MetadataText(_INDEXED[field], Data.metadata_)
            return and_(text >= first, text < end)
    return None
