"""Parses the text of a query to a tree."""

import json
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedToken, v_args

from airflow_provider_lake.server.store.query_language.errors import InvalidQueryError
from airflow_provider_lake.server.store.query_language.fields import KNOWN_FIELDS, find_field
from airflow_provider_lake.server.store.query_language.tree import And, Comparison, Node, Not, Operator, Or

MAX_LENGTH = 8192
MAX_NESTING = 20
MAX_CONDITIONS = 200

# Numbers that databases store exactly.
_MAX_INTEGER = 2**63 - 1
_MAX_INTEGER_LENGTH = len(str(-_MAX_INTEGER))
_SHOWN = 40

_WORDS = {
    "FIELD": "a field",
    "OPERATOR": "an operator",
    "MEMBERSHIP": "'in'",
    "STRING": "a string in double quotes",
    "NUMBER": "a number",
    "CONSTANT": "True, False or None",
    "LPAR": "'('",
    "RPAR": "')'",
    "COMMA": "','",
    "AND": "'and'",
    "OR": "'or'",
    "NOT": "'not'",
    "$END": "the end",
}


def parse(text: str) -> Node:
    """Parse a query.

    :raises InvalidQueryError: it is malformed or too large, or has an unknown field or an invalid value.
    """
    if len(text) > MAX_LENGTH:
        raise InvalidQueryError(f"a query has at most {MAX_LENGTH:,} characters", MAX_LENGTH + 1)
    try:
        # The transformer makes nodes of lark's trees.
        return cast("Node", _parser().parse(text))
    except UnexpectedToken as error:
        place = error.token.start_pos if error.token.type != "$END" else None
        raise _unexpected(text, place, error.accepts or error.expected) from None
    except UnexpectedCharacters as error:
        raise _unexpected(text, error.pos_in_stream, error.allowed or ()) from None


def _unexpected(text: str, place: int | None, terminals: Collection[str]) -> InvalidQueryError:
    wanted = " or ".join(_WORDS[name] for name in _WORDS if name in terminals)
    found = "the end" if place is None else repr(text[place : place + _SHOWN].split(maxsplit=1)[0])
    return InvalidQueryError(f"expected {wanted}, found {found}", (len(text) if place is None else place) + 1)


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark")
    return Lark.open(str(grammar), parser="lalr", transformer=_TreeBuilder(), postlex=_Limits())


class _Limits:
    """Rejects queries that are too large for the database, while they are parsed."""

    always_accept = ()

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        depth = conditions = 0
        for token in stream:
            depth += (token.type == "LPAR") - (token.type == "RPAR")
            conditions += token.type == "FIELD"
            if depth > MAX_NESTING:
                raise InvalidQueryError(f"parentheses are nested at most {MAX_NESTING} deep", _column(token))
            if conditions > MAX_CONDITIONS:
                raise InvalidQueryError(f"a query has at most {MAX_CONDITIONS} conditions", _column(token))
            yield token


@dataclass(frozen=True, slots=True)
class _Located:
    """A value and its column in the text."""

    value: Any
    column: int


@v_args(inline=True)
class _TreeBuilder(Transformer[Token, Node]):
    """Builds nodes during parsing, so that nothing recurses into a deep tree."""

    def disjunction(self, *operands: Node) -> Node:
        return Or(operands)

    def conjunction(self, *operands: Node) -> Node:
        return And(operands)

    def negation(self, operand: Node) -> Node:
        return Not(operand)

    def comparison(self, name: Token, operator: Token, located: _Located) -> Node:
        comparison = Comparison(str(name), Operator(" ".join(operator.split())), located.value)
        field = find_field(comparison.field)
        if field is None:
            raise InvalidQueryError(
                f"unknown field {name[:_SHOWN]!r}; known fields: {', '.join(KNOWN_FIELDS)}", _column(name)
            )
        try:
            field.check_operator(comparison.operator)
        except ValueError as error:
            raise InvalidQueryError(f"{name[:_SHOWN]} {error}", _column(operator)) from None
        try:
            field.check_value(comparison.operator, comparison.value)
        except ValueError as error:
            raise InvalidQueryError(f"{name[:_SHOWN]} {error}", located.column) from None
        return comparison

    def values(self, *items: _Located) -> _Located:
        return _Located(tuple(item.value for item in items), items[0].column)

    def string(self, token: Token) -> _Located:
        text = json.loads(token)
        # JSON strings can have lone surrogates and NUL, which databases reject.
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise InvalidQueryError("the string has a character that no text has", _column(token))
        return _Located(text, _column(token))

    def number(self, token: Token) -> _Located:
        is_integer = token.lstrip("-").isdigit()
        if is_integer and len(token) > _MAX_INTEGER_LENGTH:
            raise InvalidQueryError("the number is too large", _column(token))
        number = int(token) if is_integer else float(token)
        if abs(number) > (_MAX_INTEGER if is_integer else sys.float_info.max):
            raise InvalidQueryError("the number is too large", _column(token))
        return _Located(number, _column(token))

    def constant(self, token: Token) -> _Located:
        return _Located({"True": True, "False": False, "None": None}[token], _column(token))


def _column(token: Token) -> int:
    return (token.start_pos or 0) + 1
