"""Reads fields of the lake's responses; a missing or unreadable one raises an error of the client, not of Python."""

from collections.abc import Callable
from functools import wraps
from reprlib import Repr
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from airflow_provider_lake.client.errors import LakeError, UnexpectedResponseError

_P = ParamSpec("_P")
_R = TypeVar("_R")
_T = TypeVar("_T")


def explain_shape(what: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Decorate a function that makes a record from JSON, so that unreadable JSON is an error of the client.

    :param what: the record's name, for the message.
    """

    def decorate(read: Callable[_P, _R]) -> Callable[_P, _R]:
        @wraps(read)
        def checked(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            try:
                return read(*args, **kwargs)
            except KeyError as error:
                raise UnexpectedResponseError(f"the lake describes a {what} without {error}") from error
            except LakeError:
                raise
            except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
                raise UnexpectedResponseError(f"the lake describes a {what} in an unknown way: {error}") from error

        return checked

    return decorate


def read_field(json: Any, name: str, kind: type[_T]) -> _T:
    """Return a field of an object from the lake's response.

    :raises UnexpectedResponseError: it is missing, or of another type.
    """
    found = json.get(name) if isinstance(json, dict) else None
    if not isinstance(found, kind):
        raise UnexpectedResponseError(f"the lake's answer has no {kind.__name__} under {name!r}: {_brief(json)}")
    return found


def read_id(json: Any, name: str) -> UUID:
    """Return an id from the lake's response.

    :raises UnexpectedResponseError: it is missing, or not an id.
    """
    text = read_field(json, name, str)
    try:
        return UUID(text)
    except ValueError:
        raise UnexpectedResponseError(f"the lake's answer has no id under {name!r}, but {text[:60]!r}") from None


def require_mapping(json: Any) -> dict[str, Any]:
    """Return an object from the lake's response.

    :raises UnexpectedResponseError: it is not one.
    """
    if not isinstance(json, dict):
        raise UnexpectedResponseError(f"the lake answered no object, but {_brief(json)}")
    return json


def form_fields(json: Any) -> dict[str, str]:
    """Return form fields or headers as text; numbers are converted, and None is left out.

    :raises UnexpectedResponseError: there are lists or objects among them.
    """
    given = require_mapping(json or {})
    if any(isinstance(value, dict | list) for value in given.values()):
        raise UnexpectedResponseError(f"the lake's answer has fields that are no text: {_brief(json)}")
    return {str(name): str(value) for name, value in given.items() if value is not None}


def page_items(page: Any) -> list[Any]:
    """Return the items of a page.

    :raises UnexpectedResponseError: it is not one.
    """
    items: list[Any] = read_field(page, "items", list)
    return items


def _brief(json: Any) -> str:
    shown = Repr()
    shown.maxdict, shown.maxstring, shown.maxother = 8, 60, 60
    return shown.repr(json)
