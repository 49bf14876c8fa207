"""Convert arguments as Airflow passes them into the values that operators, sensors and triggers use.

A templated argument arrives as text or, if rendered natively, as the type that its text looks like. The output of a
task arrives as the task returned it; the output of a mapped task is a lazy sequence. Each ``read_…`` function accepts
one argument in all these forms and returns it in one form. For other values it raises a
:class:`~airflow_provider_lake.exceptions.LakeArgumentError`, whose one sentence names the argument. This is a
``ValueError`` at DAG parsing, and fails a running task without retries.

None and empty text count as "not given", in lists too, because templates render to these if there is no value. An
empty path is refused, because Python reads it as the working directory.
"""

import math
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from numbers import Integral, Real
from pathlib import Path, PurePath
from typing import Any, TypeVar
from uuid import UUID

from airflow_provider_lake.exceptions import LakeArgumentError
from airflow_provider_lake.text.argument_text import NATIVE, is_rendered_value, shorten

_T = TypeVar("_T")
_TEMPLATE_MARKS = ("{{", "{%", "{#")
_IDS = "ids, as text or a list of texts"
# A century; Python and Airflow can still represent a time that far ahead.
_MAX_SECONDS = 100 * 366 * 24 * 3600.0


def is_template(value: Any) -> bool:
    """Whether Airflow renders or resolves this value, or a part of it, before the task runs."""
    if isinstance(value, str):
        return any(mark in value for mark in _TEMPLATE_MARKS)
    if isinstance(value, Mapping):
        return any(map(is_template, value.values()))
    if isinstance(value, list | tuple | set | frozenset):
        return any(map(is_template, value))
    # The output of a task or a parameter of the DAG has both attributes; a path has only the first.
    return hasattr(value, "resolve") and hasattr(value, "iter_references")


def check_constants(read: Callable[[str, Any], object], **given: Any) -> None:
    """Check arguments at DAG parsing; templates are skipped, because they are not rendered yet.

    :raises LakeArgumentError: one of the arguments is not valid.
    """
    for argument, value in given.items():
        if not is_template(value):
            read(argument, value)


def read_names(argument: str, value: Any) -> list[str]:
    """Return one name, several, or none, without duplicates. Nested lists are flattened; numbers and dates become text.

    :raises LakeArgumentError: the value contains an item that is not a name.
    """
    several = "names, as text or a list of texts"
    return list(dict.fromkeys(_text(argument, each, several) for each in flat_items(argument, value)))


def read_text(argument: str, value: Any) -> str | None:
    """Return one text; numbers and dates become text. None: not given.

    :raises LakeArgumentError: the value is something else, or a list.
    """
    return None if _is_empty(value) else _text(argument, value, "one text")


def read_required_text(argument: str, value: Any) -> str:
    """Return one text, as :func:`read_text` does.

    :raises LakeArgumentError: also if no text is given.
    """
    text = read_text(argument, value)
    if text is None:
        raise LakeArgumentError(f"{argument} must be one text, not {shorten(value)}")
    return text


def read_ids(argument: str, value: Any) -> list[str]:
    """Return one id, several, or none, without duplicates, in the lake's notation; accepts UUIDs or their text.

    :raises LakeArgumentError: the value contains an item that is not an id.
    """
    ids: dict[str, None] = {}
    for each in flat_items(argument, value):
        if isinstance(each, Mapping):
            raise LakeArgumentError(
                f"{argument} has {shorten(each)}, which is no id: what a task returned is a summary"
            )
        ids[_id(argument, each)] = None
    return list(ids)


def read_job_ids(argument: str, value: Any) -> list[str]:
    """Return ids of jobs without duplicates; accepts ids, and summaries of tasks that started or awaited jobs.

    The client checks the format of the ids when it requests the jobs.

    :raises LakeArgumentError: the value contains an item that is neither an id nor such a summary.
    """
    ids: dict[str, None] = {}
    for each in flat_items(argument, value):
        if not isinstance(each, Mapping):
            ids[_text(argument, each, _IDS)] = None
        elif "jobs" in each:
            ids |= dict.fromkeys(read_job_ids(argument, each["jobs"]))
        elif each.get("job_id"):
            ids[_text(argument, each["job_id"], _IDS)] = None
        else:
            raise LakeArgumentError(
                f"{argument} has {shorten(each)}, which names no job: "
                "hand on the summary of a task that started one, or the job's id"
            )
    return list(ids)


def read_paths(argument: str, value: Any) -> list[str]:
    """Return paths and URLs as text, in their order; accepts one, or several in lists.

    :raises LakeArgumentError: the value contains an item that is neither text nor a path, or is empty.
    """
    _reject_iterator(argument, value)
    return [_path(argument, each) for each in flatten(value)]


def read_path(argument: str, value: Any) -> str | None:
    """Return one path or URL as text; None: not given.

    :raises LakeArgumentError: the value is something else, a list, or empty.
    """
    if value is None:
        return None
    path = _path(argument, value)
    # In a list of paths this is allowed: there the single file fails.
    if "\0" in path:
        raise LakeArgumentError(f"{argument} must be a path or a URL, not {shorten(path)}: no path has a NUL in it")
    return path


def read_mapping(argument: str, value: Any) -> dict[str, Any] | None:
    """Return a mapping with JSON values; None: not given.

    :raises LakeArgumentError: the value is something else, or JSON cannot represent a part of it.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise LakeArgumentError(f"{argument} must be a mapping, not {shorten(value)}{_native_hint(value)}")
    plain: dict[str, Any] = as_json(argument, value)
    return plain


def read_mappings(argument: str, value: Any) -> dict[str, Any] | list[dict[str, Any]] | None:
    """Return one mapping, or a list of mappings, in which None becomes an empty one; None: not given.

    :raises LakeArgumentError: the value is something else.
    """
    if value is None or isinstance(value, Mapping):
        return read_mapping(argument, value)
    if not _is_sequence(value):
        raise LakeArgumentError(
            f"{argument} must be a mapping or a list of mappings, not {shorten(value)}{_native_hint(value)}"
        )
    return [read_mapping(argument, each) or {} for each in flatten(value)]


def read_seconds(argument: str, value: Any, *, exclusive_minimum: float | None = None) -> float:
    """Return a duration in seconds, which is not negative.

    :param value: seconds as a number, or a ``timedelta``.
    :param exclusive_minimum: seconds that the duration must exceed.
    :raises LakeArgumentError: the value is something else, or too short or too long.
    """
    seconds = value.total_seconds() if isinstance(value, timedelta) else _number(value)
    if (
        seconds is None
        or not 0 <= seconds <= _MAX_SECONDS
        or (exclusive_minimum is not None and seconds <= exclusive_minimum)
    ):
        minimum = "not negative" if exclusive_minimum is None else f"above {exclusive_minimum:g}"
        raise LakeArgumentError(f"{argument} must be seconds (a number {minimum}) or a timedelta, not {shorten(value)}")
    return seconds


def read_optional_seconds(argument: str, value: Any) -> float | None:
    """Return a duration in seconds, as :func:`read_seconds` does; None: not given."""
    return None if value is None else read_seconds(argument, value)


def read_count(argument: str, value: Any, minimum: int = 0, maximum: int | None = None) -> int:
    """Return a whole number.

    :param minimum: the smallest valid number.
    :param maximum: the largest valid number; None: unlimited.
    :raises LakeArgumentError: the value is something else.
    """
    is_whole = isinstance(value, Integral) and _number(value) is not None
    if not is_whole or value < minimum or (maximum is not None and value > maximum):
        limits = f"at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
        raise LakeArgumentError(f"{argument} must be a whole number, {limits}, not {shorten(value)}")
    return int(value)


def read_optional_count(argument: str, value: Any, minimum: int = 0) -> int | None:
    """Return a whole number, as :func:`read_count` does; None: not given."""
    return None if value is None else read_count(argument, value, minimum)


def read_limit(argument: str, value: Any) -> int | float:
    """Return a limit for a number of files: a number as an int, or a share of all as a float from 0 to 1.

    :raises LakeArgumentError: the value is neither.
    """
    number, is_whole = _number(value), isinstance(value, Integral)
    if number is not None and number >= 0 and (is_whole or number <= 1):
        return int(value) if is_whole else number
    raise LakeArgumentError(
        f"{argument} is a number of files (an int) or a share of all (a float from 0 to 1, such as 0.01), "
        f"not {shorten(value)}"
    )


def read_flag(argument: str, value: Any) -> bool:
    """Return a boolean; text is refused, because ``"False"`` would count as true.

    :raises LakeArgumentError: the value is neither true nor false.
    """
    if isinstance(value, bool) or (isinstance(value, Integral) and value in {0, 1}):
        return bool(value)
    if type(value).__name__ in {"bool_", "bool"}:  # numpy's
        return bool(value)
    raise LakeArgumentError(f"{argument} must be True or False, not {shorten(value)}")


def read_choice(argument: str, value: _T, choices: Collection[_T]) -> _T:
    """Return a value that is one of several choices.

    :raises LakeArgumentError: the value is not one of the choices.
    """
    if not any(value == choice for choice in choices):
        raise LakeArgumentError(f"{argument} is one of {', '.join(map(str, choices))}, not {shorten(value)}")
    return value


def flat_items(argument: str, value: Any) -> Iterator[Any]:
    """Yield each item of an argument, from nested lists too, without empty ones.

    :raises LakeArgumentError: the value is an iterator, which can be read only once.
    """
    _reject_iterator(argument, value)
    return (each for each in flatten(value) if not _is_empty(each))


def flatten(value: Any) -> Iterator[Any]:
    """Yield a value itself, or the items of a list and of its nested lists."""
    if _is_sequence(value):
        for each in _ordered(value):
            yield from flatten(each)
    else:
        yield value


def as_json(argument: str, value: Any) -> Any:
    """Return a value in the types of JSON: tuples, sets and lazy sequences as lists; dates, ids and paths as text.

    :raises LakeArgumentError: JSON cannot represent a part of the value.
    """
    if isinstance(value, Mapping):
        return {_key(argument, key): as_json(argument, each) for key, each in value.items()}
    if _is_sequence(value):
        return [as_json(argument, each) for each in _ordered(value)]
    return _scalar(argument, value.value if isinstance(value, Enum) else value)


def _scalar(argument: str, value: Any) -> str | float | bool | None:
    """Return a single value in the types of JSON."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _require_utf8(argument, str(value))
    number = _number(value)
    if number is not None:
        return int(value) if isinstance(value, Integral) else number
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, UUID) or _is_path(value):
        return _require_utf8(argument, str(value))
    raise LakeArgumentError(f"{argument} has {shorten(value)} in it, which JSON cannot say: use text or a number")


def _key(argument: str, key: Any) -> str:
    if isinstance(key, bool) or not isinstance(key, str | Integral | UUID | date):
        raise LakeArgumentError(f"{argument} has the key {shorten(key)}: keys are text")
    return _require_utf8(argument, str(key))


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Collection) and not isinstance(value, str | bytes | bytearray | Mapping)


def _ordered(value: Collection[Any]) -> Collection[Any]:
    # The order of a set differs between processes.
    return sorted(value, key=str) if isinstance(value, AbstractSet) else value


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value)


def _text(argument: str, value: Any, expected: str) -> str:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        return _require_utf8(argument, _require_rendered(argument, value, expected))
    if _number(value) is not None or isinstance(value, date | time | UUID) or _is_path(value):
        return str(value)
    raise LakeArgumentError(f"{argument} must be {expected}, not {shorten(value)}")


def _number(value: Any) -> float | None:
    """Return a finite number; None: the value is not a number, or is too large for a float."""
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _id(argument: str, value: Any) -> str:
    text = _text(argument, value, _IDS)
    try:
        return str(UUID(text))
    except ValueError:
        raise LakeArgumentError(f"{argument}: {shorten(value)} is no id: ids are UUIDs") from None


def _reject_iterator(argument: str, value: Any) -> None:
    if isinstance(value, Iterator):
        raise LakeArgumentError(f"{argument} must be a list, not {shorten(value)}, which can be read only once")


def _path(argument: str, value: Any) -> str:
    expected = "a path or a URL"
    # Python reads an empty path as the working directory, which no user means.
    is_blank = isinstance(value, str | bytes) and not value.strip()
    if value is None or is_blank or (isinstance(value, Path) and value == Path()):
        raise LakeArgumentError(
            f"{argument} is {shorten(value)}, which names nothing: a template that rendered to nothing?"
        )
    if isinstance(value, str):
        return _require_rendered(argument, value, expected)
    if not (_is_path(value) or isinstance(value, bytes)):
        return _text(argument, value, expected)
    text = os.fsdecode(value) if isinstance(value, os.PathLike | bytes) else str(value)
    if is_template(text):
        raise LakeArgumentError(
            f"{argument} is {shorten(value)}: Airflow renders no template in a path, give it as text"
        )
    return text


def _is_path(value: Any) -> bool:
    """Whether a value is a local path or a path in object storage, such as an ``ObjectStoragePath``."""
    return isinstance(value, PurePath | os.PathLike) or (hasattr(value, "protocol") and hasattr(value, "path"))


def _require_rendered(argument: str, text: str, expected: str) -> str:
    """Return a text; raise an error if it looks like a list or None that a template has rendered."""
    if is_rendered_value(text):
        raise LakeArgumentError(f"{argument} must be {expected}, not the text {shorten(text)}; {NATIVE}")
    return str(text)


def _native_hint(value: Any) -> str:
    return f"; {NATIVE}" if isinstance(value, str) else ""


def _require_utf8(argument: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise LakeArgumentError(f"{argument} has {shorten(text)}, which is no Unicode text") from None
    return text
