"""Custom metadata schemas: the definition of each key, and the check of values against it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    StrictBool,
    StrictInt,
    StrictStr,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from airflow_provider_lake.server.errors import BadRequestError

MAX_CHOICES = 64
MIN_TEXT_CHOICES = 2
_SHOWN = 80

Label = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00]*$")]


class InputType(StrEnum):
    """Kind of the values under a key."""

    STRING = "STRING"
    INTEGER = "INTEGER"
    FLOAT = "FLOAT"
    DATETIME = "DATETIME"
    BOOLEAN = "BOOLEAN"


_NOUNS = {
    InputType.STRING: "a text",
    InputType.INTEGER: "an integer",
    InputType.FLOAT: "a number",
    InputType.DATETIME: "an ISO 8601 time with a time zone",
    InputType.BOOLEAN: "true or false",
}
_TYPES: dict[InputType, TypeAdapter[Any]] = {
    InputType.STRING: TypeAdapter(StrictStr),
    InputType.INTEGER: TypeAdapter(StrictInt),
    InputType.FLOAT: TypeAdapter(Annotated[FiniteFloat, Field(strict=True)]),
    InputType.BOOLEAN: TypeAdapter(StrictBool),
}
_TIMESTAMP = TypeAdapter[datetime](AwareDatetime)
_BOUNDED = frozenset({InputType.INTEGER, InputType.FLOAT, InputType.DATETIME})


class KeyDefinition(BaseModel):
    """The definition of one key. Values of an archived key are neither required nor checked.

    :param allow_multiple: values are lists of choices.
    :param min: smallest value.
    :param max: largest value.
    """

    model_config = ConfigDict(extra="forbid")

    input_type: InputType
    required: bool
    display_name: Label | None = None
    archived: bool = False
    choices: Annotated[list[Any], Field(min_length=1, max_length=MAX_CHOICES)] | None = None
    allow_multiple: bool | None = None
    min: Any = None
    max: Any = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        bounds = [bound for bound in (self.min, self.max) if bound is not None]
        if self.archived and self.required:
            raise ValueError("an archived key cannot be required")
        if bounds and self.input_type not in _BOUNDED:
            raise ValueError(f"a key of type {self.input_type} has no min and max")
        if self.choices and self.input_type == InputType.BOOLEAN:
            raise ValueError("a key of type BOOLEAN has no choices")
        if self.choices and self.input_type == InputType.STRING and len(self.choices) < MIN_TEXT_CHOICES:
            raise ValueError(f"a key of type STRING has at least {MIN_TEXT_CHOICES} choices")
        if self.allow_multiple and not self.choices:
            raise ValueError("allow_multiple needs choices")
        if bounds and self.choices:
            raise ValueError("choices cannot be combined with min and max")
        for value in [*bounds, *(self.choices or ())]:
            if self._read(value) is None:
                raise ValueError(f"{_shorten(value)} is not {_NOUNS[self.input_type]}")
        if len(bounds) == 2 and self._read(self.min) >= self._read(self.max):  # noqa: PLR2004 - both
            raise ValueError("min must be less than max")
        return self

    def problem(self, value: Any) -> str | None:
        """Return in words what is wrong with a value; None if it is valid.

        :param value: None if the key is missing.
        """
        if self.archived or (value is None and not self.required):
            return None
        values = value if self.allow_multiple else [value]
        if isinstance(values, list) and all(self._accepts(each) for each in values):
            return None
        found = "but it is missing" if value is None else f"not {_shorten(value)}"
        return f"expected {self._expectation()}, {found}"

    def _accepts(self, value: Any) -> bool:
        read = self._read(value)
        if read is None or (self.choices and read not in map(self._read, self.choices)):
            return False
        return (self.min is None or read >= self._read(self.min)) and (self.max is None or read <= self._read(self.max))

    def _read(self, value: Any) -> Any:
        """Return a value as one of the key's type that can be compared; None if it is not of that type."""
        try:
            if self.input_type == InputType.DATETIME:
                # Pydantic accepts numbers as timestamps too.
                return _TIMESTAMP.validate_python(value) if isinstance(value, str) else None
            return _TYPES[self.input_type].validate_python(value)
        except ValidationError:
            return None

    def _expectation(self) -> str:
        if self.choices:
            return f"{'a list out' if self.allow_multiple else 'one'} of {', '.join(map(_shorten, self.choices))}"
        bounds = [("from", self.min), ("to", self.max)]
        words = [f" {word} {bound}" for word, bound in bounds if bound is not None]
        return "".join([_NOUNS[self.input_type], *words])


@dataclass(frozen=True, slots=True)
class CustomMetadataSchema:
    """The schema of the custom metadata of a datalake's data.

    :param allow_extra: whether data may have other keys too.
    """

    keys: Mapping[str, KeyDefinition] = field(default_factory=dict)
    allow_extra: bool = True

    def check(self, custom_metadata: Mapping[str, Any] | None, owner: object = None) -> None:
        """Check custom metadata; a value None counts as absent.

        :param owner: what has the metadata, for the message if there are several.
        :raises BadRequestError: they do not match; the message names the first wrong key, the detail all of them.
        """
        whose = "" if owner is None else f" of {_shorten(owner)}"
        found = self._problems({key: value for key, value in (custom_metadata or {}).items() if value is not None})
        problems = [f"custom metadata {_shorten(key)}{whose}: {problem}" for key, problem in found]
        if problems:
            raise BadRequestError(problems[0], problems)

    def _problems(self, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for key, definition in self.keys.items():
            if problem := definition.problem(given.get(key)):
                yield key, problem
        if not self.allow_extra:
            for key in sorted(given.keys() - self.keys.keys()):
                yield key, "the datalake's schema does not have this key"


def _shorten(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
