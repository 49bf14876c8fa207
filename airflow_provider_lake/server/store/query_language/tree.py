"""Queries as trees; ``str`` of a tree is a query that parses to an equal tree."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool | None
Value: TypeAlias = Scalar | tuple[Scalar, ...]


class Operator(StrEnum):
    """How a field is compared with a value."""

    EQUAL = "="
    NOT_EQUAL = "!="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    CONTAINS = "~"
    NOT_CONTAINS = "!~"
    IN = "in"
    NOT_IN = "not in"
    STARTS_WITH = "startswith"
    NOT_STARTS_WITH = "not startswith"
    ENDS_WITH = "endswith"
    NOT_ENDS_WITH = "not endswith"

    @property
    def opposite(self) -> "Operator | None":
        """The operator that this one negates; None if it is not a negation."""
        return _OPPOSITES.get(self)


_OPPOSITES = {
    Operator.NOT_EQUAL: Operator.EQUAL,
    Operator.NOT_CONTAINS: Operator.CONTAINS,
    Operator.NOT_IN: Operator.IN,
    Operator.NOT_STARTS_WITH: Operator.STARTS_WITH,
    Operator.NOT_ENDS_WITH: Operator.ENDS_WITH,
}

EQUALITIES = frozenset({Operator.EQUAL, Operator.NOT_EQUAL, Operator.IN, Operator.NOT_IN})
ORDERINGS = frozenset({Operator.GREATER, Operator.GREATER_OR_EQUAL, Operator.LESS, Operator.LESS_OR_EQUAL})

TEXT_SEARCHES = frozenset(Operator) - EQUALITIES - ORDERINGS


@dataclass(frozen=True, slots=True)
class Comparison:
    """One condition on one field.

    :param value: a tuple for ``in`` and ``not in``, else one value.
    """

    field: str
    operator: Operator
    value: Value

    def __str__(self) -> str:
        return f"{self.field} {self.operator} {_value_text(self.value)}"


@dataclass(frozen=True, slots=True)
class Not:
    """The negation of a condition."""

    operand: "Node"

    def __str__(self) -> str:
        return f"not {_operand_text(self.operand, Comparison)}"


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more conditions."""

    operands: tuple["Node", ...]

    def __str__(self) -> str:
        return " and ".join(_operand_text(operand, Comparison, Not) for operand in self.operands)


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of two or more conditions."""

    operands: tuple["Node", ...]

    def __str__(self) -> str:
        return " or ".join(_operand_text(operand, Comparison, Not, And) for operand in self.operands)


Node: TypeAlias = Comparison | Not | And | Or


def _operand_text(operand: Node, *bare: type[Node]) -> str:
    return str(operand) if isinstance(operand, bare) else f"({operand})"


def _value_text(value: Value) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(_value_text(item) for item in value)})"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
