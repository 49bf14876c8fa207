"""When two tries of a task are told the same."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

import pytest
from airflow.sdk import ObjectStoragePath
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lake.tasks.fingerprints import fingerprint

ID = UUID("11111111-2222-4333-8444-555555555555")


class Lazy(Sequence[Any]):
    """What the results of a mapped task look like: its text tells nothing of them."""

    def __init__(self, *results: Any) -> None:
        self._results = results

    def __getitem__(self, place: Any) -> Any:
        return self._results[place]

    def __len__(self) -> int:
        return len(self._results)

    def __repr__(self) -> str:
        return f"Lazy({len(self)} items)"


class Plain:
    """What has no text of its own."""

    def __init__(self, value: int) -> None:
        self.value = value


class Colour(Enum):
    """A choice."""

    RED = "red"


def _three() -> Iterator[int]:
    yield from (1, 2, 3)


SAME: list[tuple[Any, Any]] = [
    (Lazy({"data_ids": ["a"]}), [{"data_ids": ["a"]}]),
    ([Lazy(1), Lazy(2)], [[1], [2]]),
    ({"summary": Lazy(1)}, {"summary": (1,)}),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ({1: {"a": 1, "b": 2}, "c": 3}, {"c": 3, 1: {"b": 2, "a": 1}}),
    ({"x", "y", "z"}, frozenset({"z", "y", "x"})),
    ([{ID, "x"}], [{"x", ID}]),
    (ID, str(ID)),
    (Path("a/b"), "a/b"),
    (PurePosixPath("/a"), "/a"),
    (ObjectStoragePath("file:///a/b"), "file:///a/b"),
    (date(2026, 11, 28), "2026-11-28"),
    (datetime(2026, 11, 28, tzinfo=UTC), "2026-11-28T00:00:00+00:00"),
    (timedelta(minutes=1), 60.0),
    (Decimal("1.50"), "1.50"),
    (Colour.RED, "red"),
    (Plain(1), Plain(1)),
    (_three, _three),
    (partial(_three), partial(_three)),
    (_three(), _three()),
]
DIFFERENT: list[tuple[Any, Any]] = [
    (Lazy({"data_ids": ["a"]}), Lazy({"data_ids": ["b"]})),
    (Lazy(1, 2), Lazy(2, 1)),
    ([1, 2], [2, 1]),
    ({"a": 1}, {"a": 2}),
    ({"x"}, {"y"}),
    (None, "None"),
    (1, "1"),
    (True, "True"),
    (Plain(1), Plain(2)),
    (partial(int, base=8), partial(int, base=16)),
    (b"a", b"b"),
    ("caf\udce9", "caf\udcea"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_is_the_same(one: Any, other: Any) -> None:
    """Whatever it is told by."""
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_another_is_another(one: Any, other: Any) -> None:
    """Also where the text of both is the same."""
    assert fingerprint(one) != fingerprint(other)


def test_reading_changes_nothing() -> None:
    """Who is told may still read an iterator, and a lazy sequence tells the same once it was read."""
    numbers, lazy = _three(), Lazy(1, 2)
    before = fingerprint(numbers, lazy)

    assert (list(numbers), list(lazy)) == ([1, 2, 3], [1, 2])
    assert fingerprint(numbers, lazy) == before


@given(st.recursive(st.text() | st.integers() | st.floats() | st.uuids() | st.dates(), st.lists, max_leaves=8))
def test_lists_may_be_lazy(value: Any) -> None:
    """At any depth."""

    def lazy(each: Any) -> Any:
        return Lazy(*map(lazy, each)) if isinstance(each, list) else each

    assert fingerprint(value) == fingerprint(lazy(value))


def test_another_process_says_the_same() -> None:
    """Where strings are hashed otherwise, and everything lies elsewhere."""
    program = (
        "from airflow_provider_lake.tasks.fingerprints import fingerprint as f\n"
        "print(f({'tags': {'a', 'b', 'c', 'd'}, 'at': type('T', (), {})()}))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1
