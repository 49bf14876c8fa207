"""A hash of a task's arguments; equal arguments have equal hashes, whatever the process, order or type."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, time, timedelta
from enum import Enum
from typing import Any


def fingerprint(*what: Any) -> str:
    """Return a hash of a task's arguments, so that a later try can detect whether they have changed.

    Lazy sequences are read. An object without its own text is hashed by its class and its attributes, never by its
    memory address. An iterator, which can be read only once, is hashed by its class alone.
    """
    return hashlib.sha256(_json(_to_json(what)).encode("utf-8", "surrogatepass")).hexdigest()


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _to_json(value: Any) -> Any:
    """Return a value in the types of JSON."""
    if value is None or isinstance(value, bool | int | float):
        return value
    for kind, read in _READERS:
        if isinstance(value, kind):
            return read(value)
    return _describe_object(value)


def _mapping_to_json(value: Mapping[Any, Any]) -> dict[str, Any]:
    return {key if isinstance(key, str) else _json(_to_json(key)): _to_json(each) for key, each in value.items()}


def _set_to_json(value: AbstractSet[Any]) -> list[Any]:
    # The order of a set differs between processes.
    return sorted(map(_to_json, value), key=_json)


def _describe_object(value: Any) -> Any:
    """Return the text of a value, or its class and attributes if the text would contain a memory address."""
    if callable(value) and not isinstance(value, type):
        # Also the parts of a partial; a function has only its name.
        parts = [getattr(value, name, None) for name in ("func", "args", "keywords")]
        return [_qualified_name(value), *(_to_json(part) for part in parts if part is not None)]
    kind = type(value)
    if isinstance(value, type):
        return _qualified_name(value)
    if any(getattr(kind, name) is not getattr(object, name) for name in ("__str__", "__repr__")):
        return str(value)
    return [_qualified_name(kind), _to_json(getattr(value, "__dict__", {}))]


def _qualified_name(what: Any) -> str:
    kind = type(what)
    name = getattr(what, "__qualname__", kind.__qualname__)
    return f"{getattr(what, '__module__', kind.__module__)}.{name}"


# The first matching type is used.
_READERS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    # Airflow has subclasses of str; only their text counts.
    (str, str.__str__),
    (Enum, lambda value: _to_json(value.value)),
    (Mapping, _mapping_to_json),
    (AbstractSet, _set_to_json),
    (bytes, bytes.hex),
    (date, lambda value: value.isoformat()),
    (time, time.isoformat),
    (timedelta, timedelta.total_seconds),
    (Iterator, lambda value: _qualified_name(type(value))),
    (Sequence, lambda value: [_to_json(each) for each in value]),
)
