"""Long lists as lazy iterators."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lake.client.transport.paging import chunks, iter_by_cursor, iter_by_offset
from airflow_provider_lake.client.transport.session import QueryParams


class Pages:
    """Some numbers, given in pages.

    :param count: how many there are.
    :param at_most: most that one page holds, whatever is asked for.
    """

    def __init__(self, count: int, at_most: int = 1000) -> None:
        self.items = range(count)
        self.at_most = at_most
        self.asked: list[dict[str, Any]] = []

    def __call__(self, params: QueryParams) -> dict[str, Any]:
        """Give a page."""
        asked = {name: value for name, value in params if value is not None}
        self.asked.append(asked)
        start = int(asked.get("cursor") or asked.get("offset") or 0)
        end = start + min(asked["limit"], self.at_most)
        more = str(end) if end < len(self.items) else None
        return {"items": list(self.items[start:end]), "count": len(self.items), "next_cursor": more}


@pytest.mark.parametrize("iterate", [iter_by_cursor, iter_by_offset])
@given(
    count=st.integers(0, 3500),
    limit=st.none() | st.integers(0, 3500),
    offset=st.none() | st.integers(0, 3500),
    at_most=st.integers(400, 1000),
)
def test_every_item_comes_once(iterate: Any, count: int, limit: int | None, offset: int | None, at_most: int) -> None:
    """The items are those that one slice would give, also of a lake that gives less than it is asked for."""
    start = offset or 0
    end = None if limit is None else start + limit

    assert list(iterate(Pages(count, at_most), limit, offset)) == list(range(count))[start:end]


@pytest.mark.parametrize("iterate", [iter_by_cursor, iter_by_offset])
def test_nothing_is_asked_before_it_is_needed(iterate: Any) -> None:
    """The first thousand items cost one request, made for the first of them."""
    pages = Pages(5000)
    items = iterate(pages, None, None)

    assert pages.asked == []
    assert list(islice(items, 1000)) == list(range(1000))
    assert len(pages.asked) == 1


def test_a_cursor_replaces_the_offset() -> None:
    """The offset counts from the beginning: it is said once."""
    pages = Pages(2500)
    list(iter_by_cursor(pages, None, 10))

    assert pages.asked == [
        {"limit": 1000, "offset": 10},
        {"limit": 1000, "cursor": "1010"},
        {"limit": 1000, "cursor": "2010"},
    ]


@given(st.lists(st.integers()), st.integers(1, 7))
def test_chunks_are_full_and_in_order(items: Sequence[int], size: int) -> None:
    """Together the chunks are the sequence; only the last may be short."""
    cut = list(chunks(items, size))

    assert [item for chunk in cut for item in chunk] == list(items)
    assert {len(chunk) for chunk in cut[:-1]} <= {size}
