"""What Airflow hands over, turned into what operators, sensors and triggers work with.

A templated argument comes as text, or rendered natively as whatever its text looked like; the output of a task comes as
that task returned it, that of a mapped task as a lazy sequence. Each ``read_…`` takes one argument as it comes and
returns it in one form. What it cannot take is a :class:`~airflow_provider_lake.exceptions.LakeArgumentError`, whose one
sentence names the argument: a ``ValueError`` where a DAG is parsed, and no reason for a retry where a task runs.

None and empty text mean nothing, in lists too: that is what templates render to where there is nothing. An empty path
is refused: to Python it means the working directory.
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
# A century; a moment so far ahead is still one that Python and Airflow can write.
_MAX_SECONDS = 100 * 366 * 24 * 3600.0


def is_template(value: Any) -> bool:
    """Whether Airflow renders or resolves this, or something in it, before the task runs."""
    if isinstance(value, str):
        return any(mark in value for mark in _TEMPLATE_MARKS)
    if isinstance(value, Mapping):
        return any(map(is_template, value.values()))
    if isinstance(value, list | tuple | set | frozenset):
        return any(map(is_template, value))
    # The output of a task, a parameter of the DAG: what has both is no path, which has the first.
    return hasattr(value, "resolve") and hasattr(value, "iter_references")


def check_constants(read: Callable[[str, Any], object], **given: Any) -> None:
    """Read arguments where a DAG is parsed, for what is wrong with them; what is not rendered yet is let pass.

    :raises LakeArgumentError: one of them cannot be read.
    """
    for argument, value in given.items():
        if not is_template(value):
            read(argument, value)


def read_names(argument: str, value: Any) -> list[str]:
    """Return names, each once: one, several, or none. Lists in lists count as one; numbers and dates are taken as text.

    :raises LakeArgumentError: there is something in it that is no name.
    """
    several = "names, as text or a list of texts"
    return list(dict.fromkeys(_text(argument, each, several) for each in flat_items(argument, value)))


def read_text(argument: str, value: Any) -> str | None:
    """Return one text; numbers and dates are taken as text. None: nothing is given.

    :raises LakeArgumentError: it is something else, or several things.
    """
    return None if _is_empty(value) else _text(argument, value, "one text")


def read_required_text(argument: str, value: Any) -> str:
    """Return one text, as :func:`read_text` does.

    :raises LakeArgumentError: there is none, too.
    """
    text = read_text(argument, value)
    if text is None:
        raise LakeArgumentError(f"{argument} must be one text, not {shorten(value)}")
    return text


def read_ids(argument: str, value: Any) -> list[str]:
    """Return ids, each once, in the form that the lake writes them in: one, several, or none; UUIDs or their text.

    :raises LakeArgumentError: there is something in it that is no id.
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
    """Return ids of jobs, each once: given as themselves, or by the summaries of tasks that started or awaited jobs.

    Whether they are ids, the lake's client looks when it asks for the jobs.

    :raises LakeArgumentError: there is something in it that is neither.
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
    """Return paths and URLs as text, in their order: one, or several in lists.

    :raises LakeArgumentError: there is something in it that is neither text nor path, or nothing.
    """
    _reject_iterator(argument, value)
    return [_path(argument, each) for each in flatten(value)]


def read_path(argument: str, value: Any) -> str | None:
    """Return one path or URL as text; None: none is given.

    :raises LakeArgumentError: it is something else, several things, or empty.
    """
    if value is None:
        return None
    path = _path(argument, value)
    # One of many may be so, and fails by itself.
    if "\0" in path:
        raise LakeArgumentError(f"{argument} must be a path or a URL, not {shorten(path)}: no path has a NUL in it")
    return path


def read_mapping(argument: str, value: Any) -> dict[str, Any] | None:
    """Return a mapping with values that JSON has; None: nothing is given.

    :raises LakeArgumentError: it is something else, or has something in it that JSON cannot say.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise LakeArgumentError(f"{argument} must be a mapping, not {shorten(value)}{_native_hint(value)}")
    plain: dict[str, Any] = as_json(argument, value)
    return plain


def read_mappings(argument: str, value: Any) -> dict[str, Any] | list[dict[str, Any]] | None:
    """Return a mapping, or a list with one for each of several things, in which None is an empty one; None: nothing.

    :raises LakeArgumentError: it is something else.
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
    :param exclusive_minimum: seconds that it must exceed.
    :raises LakeArgumentError: it is something else, or too short or too long.
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
    """Return a duration in seconds, as :func:`read_seconds` does; None: none is given."""
    return None if value is None else read_seconds(argument, value)


def read_count(argument: str, value: Any, minimum: int = 0, maximum: int | None = None) -> int:
    """Return a whole number.

    :param minimum: the smallest that is right.
    :param maximum: the largest that is right; None: any.
    :raises LakeArgumentError: it is something else.
    """
    is_whole = isinstance(value, Integral) and _number(value) is not None
    if not is_whole or value < minimum or (maximum is not None and value > maximum):
        limits = f"at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
        raise LakeArgumentError(f"{argument} must be a whole number, {limits}, not {shorten(value)}")
    return int(value)


def read_optional_count(argument: str, value: Any, minimum: int = 0) -> int | None:
    """Return a whole number, as :func:`read_count` does; None: none is given."""
    return None if value is None else read_count(argument, value, minimum)


def read_limit(argument: str, value: Any) -> int | float:
    """Return how many of all things may be: a number as an int, or a share as a float from 0 to 1.

    :raises LakeArgumentError: it is neither.
    """
    number, is_whole = _number(value), isinstance(value, Integral)
    if number is not None and number >= 0 and (is_whole or number <= 1):
        return int(value) if is_whole else number
    raise LakeArgumentError(
        f"{argument} is a number of files (an int) or a share of all (a float from 0 to 1, such as 0.01), "
        f"not {shorten(value)}"
    )


def read_flag(argument: str, value: Any) -> bool:
    """Return whether something is expected; a text is refused, for ``"False"`` would count as true.

    :raises LakeArgumentError: it is neither true nor false.
    """
    if isinstance(value, bool) or (isinstance(value, Integral) and value in {0, 1}):
        return bool(value)
    if type(value).__name__ in {"bool_", "bool"}:  # numpy's
        return bool(value)
    raise LakeArgumentError(f"{argument} must be True or False, not {shorten(value)}")


def read_choice(argument: str, value: _T, choices: Collection[_T]) -> _T:
    """Return one of several values.

    :raises LakeArgumentError: it is none of them.
    """
    if not any(value == choice for choice in choices):
        raise LakeArgumentError(f"{argument} is one of {', '.join(map(str, choices))}, not {shorten(value)}")
    return value


def flat_items(argument: str, value: Any) -> Iterator[Any]:
    """Yield each thing that is given in one argument, also in lists in lists, without what is nothing.

    :raises LakeArgumentError: it can be read only once: what looks at it first would leave nothing for others.
    """
    _reject_iterator(argument, value)
    return (each for each in flatten(value) if not _is_empty(each))


def flatten(value: Any) -> Iterator[Any]:
    """Yield a value itself, or what is in a list, also in lists in it."""
    if _is_sequence(value):
        for each in _ordered(value):
            yield from flatten(each)
    else:
        yield value


def as_json(argument: str, value: Any) -> Any:
    """Return a value as JSON has it: tuples, sets and lazy sequences are lists then, dates, ids and paths are text.

    :raises LakeArgumentError: there is something in it that JSON cannot say.
    """
    if isinstance(value, Mapping):
        return {_key(argument, key): as_json(argument, each) for key, each in value.items()}
    if _is_sequence(value):
        return [as_json(argument, each) for each in _ordered(value)]
    return _scalar(argument, value.value if isinstance(value, Enum) else value)


def _scalar(argument: str, value: Any) -> str | float | bool | None:
    """Return one value as JSON has it."""
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
    # Every process orders the members of a set anew.
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
    """Return a finite number; None: it is none, or too large for one."""
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
    # An empty path is the working directory to Python, and nothing to a user.
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
    """Whether it is a path of this machine or, as an ``ObjectStoragePath``, of an object storage."""
    return isinstance(value, PurePath | os.PathLike) or (hasattr(value, "protocol") and hasattr(value, "path"))


def _require_rendered(argument: str, text: str, expected: str) -> str:
    """Return a text, unless it is what a template makes of a list or of None."""
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
