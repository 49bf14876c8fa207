"""The fields of data in queries, and how each is compared.

A field's conditions are written for the operators that are no negations. They are true or false, never NULL, so that
their negation is the exact opposite.
"""

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute

from airflow_provider_lake.server.store.query_language import json_type
from airflow_provider_lake.server.store.query_language.json_type import JsonType
from airflow_provider_lake.server.store.query_language.tree import (
    EQUALITIES,
    ORDERINGS,
    TEXT_SEARCHES,
    Operator,
    Scalar,
    Value,
)
from airflow_provider_lake.server.store.tables import Data, DataSource, DataTag, Tag
from airflow_provider_lake.server.store.unindexed import Unindexed

Condition = ColumnElement[bool]
_SHOWN = 40

_COMPARE: Mapping[Operator, Callable[[Any, Any], Condition]] = {
    Operator.EQUAL: operator.eq,
    Operator.GREATER: operator.gt,
    Operator.GREATER_OR_EQUAL: operator.ge,
    Operator.LESS: operator.lt,
    Operator.LESS_OR_EQUAL: operator.le,
    Operator.IN: lambda expression, values: expression.in_(values),
    # As in Django's query language, case does not matter here.
    Operator.CONTAINS: lambda expression, text: expression.icontains(text, autoescape=True),
    Operator.STARTS_WITH: lambda expression, text: expression.istartswith(text, autoescape=True),
    Operator.ENDS_WITH: lambda expression, text: expression.iendswith(text, autoescape=True),
}


class Field(ABC):
    """A field of data: with which operators and values it can be compared, and how."""

    operators: ClassVar[frozenset[Operator]]
    value_kind: ClassVar[str]

    def __init__(self, *, is_nullable: bool = False) -> None:
        self.is_nullable = is_nullable

    def check_operator(self, operator: Operator) -> None:
        """Check that the field supports an operator.

        :raises ValueError: it does not.
        """
        if operator not in self.operators:
            known = ", ".join(each for each in Operator if each in self.operators)
            raise ValueError(f"cannot be compared by {operator!s}; it can by {known}")

    def check_value(self, operator: Operator, value: Value) -> None:
        """Check that the field can be compared with a value.

        :raises ValueError: it cannot.
        """
        if value is None and not self.is_nullable:
            raise ValueError("is never None")
        if value is None and operator not in {Operator.EQUAL, Operator.NOT_EQUAL}:
            raise ValueError("can be compared with None by = and != only")
        if value is not None:
            for scalar in value if isinstance(value, tuple) else (value,):
                self._check_scalar(scalar)

    def condition(self, operator: Operator, value: Value) -> Condition:
        """Return the condition for an operator that is not a negation, and a valid value."""
        if value is None:
            return self._is_none()
        converted = [self._convert(item) for item in value] if isinstance(value, tuple) else self._convert(value)
        return self._compare(operator, converted)

    def _check_scalar(self, scalar: Scalar) -> None:
        try:
            self._convert(scalar)
        except (ValueError, OverflowError):
            raise ValueError(f"is compared with {self.value_kind}, not with {str(scalar)[:_SHOWN]!r}") from None

    @abstractmethod
    def _convert(self, scalar: Scalar) -> Any:
        """Return the value to compare with in the database.

        :raises ValueError: it has the wrong type.
        """

    @abstractmethod
    def _is_none(self) -> Condition:
        """Return the condition that the value is missing."""

    @abstractmethod
    def _compare(self, operator: Operator, converted: Any) -> Condition:
        """Compare with one value, or with a list of them."""


class ColumnField(Field):
    """A field that is a column of data."""

    def __init__(self, column: InstrumentedAttribute[Any] | Unindexed, *, is_nullable: bool = False) -> None:
        super().__init__(is_nullable=is_nullable)
        self._column = column

    def _is_none(self) -> Condition:
        return self._column.is_(None)

    def _compare(self, operator: Operator, converted: Any) -> Condition:
        compared = _COMPARE[operator](self._column, converted)
        return and_(self._column.is_not(None), compared) if self.is_nullable else compared


class TextField(ColumnField):
    """A text."""

    operators = frozenset(Operator)
    value_kind = "strings"

    def _convert(self, scalar: Scalar) -> str:
        return _text(scalar)


class NumberField(ColumnField):
    """A whole number; what it is compared with need not be whole."""

    operators = EQUALITIES | ORDERINGS
    value_kind = "numbers"

    def _convert(self, scalar: Scalar) -> ColumnElement[Any]:
        return _number(scalar)


class TimestampField(ColumnField):
    """A date with time."""

    operators = EQUALITIES | ORDERINGS
    value_kind = 'dates like "2024-05-06" or "2024-05-06T07:08:09+02:00", in UTC where they name no zone'

    def _convert(self, scalar: Scalar) -> datetime:
        moment = datetime.fromisoformat(_text(scalar))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


class IdField(ColumnField):
    """An id."""

    operators = EQUALITIES
    value_kind = "UUIDs"

    def _convert(self, scalar: Scalar) -> UUID:
        return UUID(_text(scalar))


class JsonField(Field):
    """A value at a path of a JSON column. Values of different types are never equal."""

    operators = frozenset(Operator)
    value_kind = "strings, numbers, True, False and, by = and !=, None"

    def __init__(self, column: InstrumentedAttribute[Any], path: tuple[str, ...]) -> None:
        super().__init__(is_nullable=True)
        self._value = column[path]
        self._type = JsonType(column, path)

    def check_value(self, operator: Operator, value: Value) -> None:
        """Check that the field can be compared with a value by an operator.

        :raises ValueError: it cannot.
        """
        super().check_value(operator, value)
        if operator in TEXT_SEARCHES and not isinstance(value, str):
            raise ValueError(f"is searched by {operator!s} for strings only")
        if operator in ORDERINGS and isinstance(value, bool):
            raise ValueError("can be compared with True and False by =, !=, in and not in only")

    def _convert(self, scalar: Scalar) -> str | bool | float:
        """Return the value; all numbers become floating-point ones, as in JSON."""
        if scalar is None:
            raise ValueError
        return scalar if isinstance(scalar, str | bool) else float(scalar)

    def _is_none(self) -> Condition:
        return func.coalesce(self._type, json_type.NULL) == json_type.NULL

    def _compare(self, operator: Operator, converted: Any) -> Condition:
        if isinstance(converted, list):
            kinds = [[item for item in converted if type(item) is kind] for kind in (str, bool, float)]
            compared = or_(*(self._compare_same_type(operator, items) for items in kinds if items))
        else:
            compared = self._compare_same_type(operator, converted)
        return func.coalesce(compared, false())

    def _compare_same_type(self, operator: Operator, converted: Any) -> Condition:
        """Compare with one value, or with a list of values of the same kind."""
        kind = type(converted[0] if isinstance(converted, list) else converted)
        types, expression = {
            str: (json_type.TEXT, self._value.as_string()),
            bool: (json_type.BOOLEAN, self._value.as_boolean()),
            float: (json_type.NUMBER, self._value.as_float()),
        }[kind]
        return _COMPARE[operator](case((self._type.in_(types), expression)), converted)


class NameField(Field):
    """The name of something that data can be linked to."""

    operators = frozenset(Operator)
    value_kind = "strings"

    def __init__(self) -> None:
        super().__init__(is_nullable=True)

    def _convert(self, scalar: Scalar) -> str:
        return _text(scalar)


class TagField(NameField):
    """The names of a data's tags: a condition is true if one of them meets it."""

    def _is_none(self) -> Condition:
        return ~exists().where(DataTag.data_position == Data.position)

    def _compare(self, operator: Operator, converted: Any) -> Condition:
        named = select(Tag.id).where(_COMPARE[operator](Tag.name, converted))
        # EXISTS, not IN: its cost does not depend on how many data have the tag.
        return exists().where(DataTag.data_position == Data.position, DataTag.tag_id.in_(named))


class DataSourceField(NameField):
    """The name of a data's source."""

    def _is_none(self) -> Condition:
        return Data.data_source_id.is_(None)

    def _compare(self, operator: Operator, converted: Any) -> Condition:
        named = select(DataSource.id).where(_COMPARE[operator](DataSource.name, converted))
        return and_(Data.data_source_id.is_not(None), Data.data_source_id.in_(named))


FIELDS: Mapping[str, Field] = {
    "id": IdField(Data.id),
    "filename": TextField(Data.filename),
    "object_name": TextField(Data.object_name),
    "content_type": TextField(Data.content_type),
    "type": TextField(Data.type),
    "upload_status": TextField(Unindexed(Data.upload_status)),
    "created_at": TimestampField(Data.created_at),
    "file_size": NumberField(Data.file_size, is_nullable=True),
    "meta.width": NumberField(Data.width, is_nullable=True),
    "meta.height": NumberField(Data.height, is_nullable=True),
    "meta.duration": NumberField(Data.duration, is_nullable=True),
    "meta.frame_rate": NumberField(Data.frame_rate, is_nullable=True),
    "meta.codec": TextField(Data.codec, is_nullable=True),
    "tags.name": TagField(),
    "data_source.name": DataSourceField(),
}
_JSON_COLUMNS: Mapping[str, InstrumentedAttribute[Any]] = {
    "metadata": Data.metadata_,
    "custom_metadata": Data.custom_metadata,
}
KNOWN_FIELDS = (*FIELDS, *(f"{name}.<key>" for name in _JSON_COLUMNS))


def find_field(name: str) -> Field | None:
    """Return the field of that name, as queries write it; None where there is none."""
    first, *path = name.split(".")
    if path and first in _JSON_COLUMNS:
        return JsonField(_JSON_COLUMNS[first], tuple(path))
    return FIELDS.get(name)


def _text(scalar: Scalar) -> str:
    if not isinstance(scalar, str):
        raise ValueError  # noqa: TRY004 - the caller adds the message
    return scalar


def _number(scalar: Scalar) -> ColumnElement[Any]:
    """Bind a number with its own type, not the column's: 1.5 must stay 1.5 in a comparison with an integer column."""
    if isinstance(scalar, bool) or not isinstance(scalar, int | float):
        raise ValueError  # noqa: TRY004 - the caller adds the message
    return literal(scalar, BigInteger() if isinstance(scalar, int) else Float())
