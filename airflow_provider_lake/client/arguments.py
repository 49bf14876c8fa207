"""Arguments of callers, converted to one form: a single text where a list is expected is one item, not its letters."""

import math
from collections.abc import Iterable, Mapping
from datetime import timedelta
from numbers import Integral
from typing import Any

from airflow_provider_lake.client.errors import UsageError

_SHOWN_CHARACTERS = 80


def read_list(argument: str, value: Any, *kinds: Any) -> list[Any]:
    """Return one item, or an iterable of items, as a list; an iterator is read once.

    :param kinds: classes that an item may be of.
    :raises UsageError: an item is of another class.
    """
    if isinstance(value, kinds):
        return [value]
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise _type_error(argument, value, kinds)
    several = list(value)
    for each in several:
        if not isinstance(each, kinds):
            raise _type_error(argument, each, kinds)
    return several


def read_optional_list(argument: str, value: Any, *kinds: Any) -> list[Any] | None:
    """Return what :func:`read_list` does; None stays None."""
    return None if value is None else read_list(argument, value, *kinds)


def read_value(argument: str, value: Any, *kinds: Any) -> Any:
    """Return a value after a check of its class.

    :raises UsageError: it has another type or value.
    """
    if not isinstance(value, kinds):
        raise UsageError(f"{argument} must be {_kind_names(kinds)}, not {_shown(value)}")
    return value


def read_optional_value(argument: str, value: Any, *kinds: Any) -> Any:
    """Return what :func:`read_value` does; None stays None."""
    return None if value is None else read_value(argument, value, *kinds)


def read_number(argument: str, value: Any) -> int:
    """Return a whole number that is not negative.

    :raises UsageError: it has another type or value.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 0:
        raise UsageError(f"{argument} must be a whole number, not negative, not {_shown(value)}")
    return int(value)


def read_optional_number(argument: str, value: Any) -> int | None:
    """Return what :func:`read_number` does; None stays None."""
    return None if value is None else read_number(argument, value)


def read_seconds(argument: str, value: Any) -> float:
    """Return a duration in seconds, given as such or as a ``timedelta``.

    :raises UsageError: it has another type or value.
    """
    given = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given < math.inf:
        raise UsageError(f"{argument} must be seconds, not negative, or a timedelta, not {_shown(value)}")
    return float(given)


def read_workers(value: Any) -> int | None:
    """Return a number of workers; None, and 0 as in the reference: the default.

    :raises UsageError: it has another type or value.
    """
    return read_optional_number("max_workers", value) or None


def _type_error(argument: str, value: Any, kinds: tuple[Any, ...]) -> UsageError:
    return UsageError(f"{argument} must be {_kind_names(kinds)}, or a list of these, not {_shown(value)}")


def _kind_names(kinds: tuple[Any, ...]) -> str:
    return " or ".join({"str": "text", "Mapping": "a mapping"}.get(kind.__name__, kind.__name__) for kind in kinds)


def _shown(value: Any) -> str:
    text = " ".join(repr(value[:_SHOWN_CHARACTERS] if isinstance(value, str | bytes) else value).split())
    return text if len(text) <= 2 * _SHOWN_CHARACTERS else f"{text[: 2 * _SHOWN_CHARACTERS]}…"
