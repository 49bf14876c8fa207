"""The inputs that a processing declares, and the check of a launch's inputs against them."""

from collections.abc import Callable, Mapping
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel

from airflow_provider_lake.server.errors import BadRequestError
from airflow_provider_lake.server.http.schemas.names import Name

InputType = Literal["TEXT", "NUMBER", "DATALAKE", "DATASET", "DATASET_VERSION", "MODEL", "MODEL_VERSION"]


class InputChanges(BaseModel):
    """What may change of a declared input.

    The constraints are about models, which this lake does not have: it only stores them.
    """

    required: bool
    inference_type_constraint: str | None = None
    framework_constraint: str | None = None


class InputDeclaration(InputChanges):
    """An input that a processing declares."""

    name: Name
    input_type: InputType


def check_inputs(
    declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any], has_datalake: Callable[[UUID], bool]
) -> None:
    """Check the inputs of a launch.

    :param declared: name to declaration.
    :param has_datalake: whether there is a datalake of that id.
    :raises BadRequestError: one is missing, not declared, or of another type; the message names it.
    """
    for name in given.keys() - declared.keys():
        raise BadRequestError(f"input {name!r} is not declared; known: {', '.join(declared) or 'none'}")
    for name, declaration in declared.items():
        value = given.get(name)
        if value is None:
            if declaration["required"]:
                raise BadRequestError(f"input {name!r} is required")
            continue
        expected = _expectation(declaration["input_type"], value, has_datalake)
        if expected is not None:
            raise BadRequestError(f"input {name!r} must be {expected}")


def _expectation(kind: InputType, value: Any, has_datalake: Callable[[UUID], bool]) -> str | None:
    """Return in words what the value of an input should be; None if it is valid."""
    match kind:
        case "TEXT":
            return None if isinstance(value, str) else "a text"
        case "NUMBER":
            return None if isinstance(value, int | float) and not isinstance(value, bool) else "a number"
    try:
        parsed = UUID(value) if isinstance(value, str) else None
    except ValueError:
        parsed = None
    if kind == "DATALAKE":
        return None if parsed is not None and has_datalake(parsed) else "the id of a datalake"
    # This lake has no datasets or models: it can only check that the value is a UUID.
    return None if parsed is not None else f"the id of a {kind.lower().replace('_', ' ')}"
