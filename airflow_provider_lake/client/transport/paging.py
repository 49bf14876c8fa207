"""Listings in pages, as lazy iterators."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from airflow_provider_lake.client.arguments import read_optional_list, read_optional_number
from airflow_provider_lake.client.errors import UnexpectedResponseError
from airflow_provider_lake.client.transport.fields import page_items
from airflow_provider_lake.client.transport.session import QueryParams, Session

PAGE_SIZE = 1000
# For tags, sources and processings, whose maximum page size is not known.
SHORT_PAGE_SIZE = 100
_T = TypeVar("_T")


def iter_by_cursor(fetch: Callable[[QueryParams], Any], limit: int | None, offset: int | None) -> Iterator[Any]:
    """Yield the items of all pages by following each page's cursor; rows that are added meanwhile shift nothing.

    :param fetch: requests one page by query parameters.
    :param limit: maximum number of items; None: all.
    :param offset: number of items to skip.
    """
    position: list[tuple[str, Any]] = [("offset", offset)]
    left, cursors, pages = limit, CursorCheck(), _PageCheck()
    while left is None or left > 0:
        size = PAGE_SIZE if left is None else min(PAGE_SIZE, left)
        page = fetch([("limit", size), *position])
        items = page_items(page)[:size]
        pages.check(items)
        yield from items
        left = None if left is None else left - len(items)
        if page.get("next_cursor") is None:
            return
        position = [("cursor", cursors.check(page["next_cursor"], len(items)))]
        # Free this page before the next one is requested.
        del page, items


class CursorCheck:
    """Checks that following the cursors of a listing comes to an end."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._previous_was_empty = False

    def check(self, cursor: Any, count: int) -> str:
        """Return the cursor of the next page.

        :param count: number of items on this page; a single empty page may occur, when all of its items were deleted.
        :raises UnexpectedResponseError: the cursor is missing or repeats, or two pages in a row are empty.
        """
        if not isinstance(cursor, str) or cursor in self._seen or (self._previous_was_empty and not count):
            raise UnexpectedResponseError(
                f"the lake's pages have no end: after {len(self._seen)} they repeat themselves"
            )
        self._seen.add(cursor)
        self._previous_was_empty = not count
        return cursor


class _PageCheck:
    """Checks that no page is returned twice."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str, int]] = set()

    def check(self, items: Sequence[Any]) -> None:
        """Check the items of a page.

        :raises UnexpectedResponseError: an earlier page had the same items.
        """
        if not items:
            return
        ends = (_key_of(items[0]), _key_of(items[-1]), len(items))
        if ends in self._seen:
            raise UnexpectedResponseError("the lake gives the same page again, whatever it is asked for")
        self._seen.add(ends)


def _key_of(item: Any) -> str:
    """Return a short value that identifies an item."""
    identity = item.get("id", item) if isinstance(item, dict) else getattr(item, "id", item)
    return str(identity)


def iter_by_offset(
    fetch: Callable[[QueryParams], Any], limit: int | None, offset: int | None, page_size: int = PAGE_SIZE
) -> Iterator[Any]:
    """Yield the items of all pages, requesting each by its offset.

    :param fetch: requests one page by query parameters.
    :param limit: maximum number of items; None: all.
    :param offset: number of items to skip.
    """
    left, skip, pages = limit, offset, _PageCheck()
    while left is None or left > 0:
        size = page_size if left is None else min(page_size, left)
        page = fetch([("limit", size), ("offset", skip)])
        items = page_items(page)[:size]
        pages.check(items)
        yield from items
        left = None if left is None else left - len(items)
        skip = (skip or 0) + len(items)
        # A lake may return fewer items than requested, though there are more.
        if not items or (len(items) < size and skip >= (page.get("count") or 0)):
            return
        del page, items


def list_named(
    session: Session, path: str, limit: int | None, offset: int | None, order_by: Sequence[str] | None
) -> Iterator[Any]:
    """Yield the items of a listing that is paged by offset."""
    order = [("order_by", field) for field in read_optional_list("order_by", order_by, str) or ()]
    limit, offset = read_optional_number("limit", limit), read_optional_number("offset", offset)
    return iter_by_offset(
        lambda page: session.request("GET", path, params=[*page, *order]), limit, offset, SHORT_PAGE_SIZE
    )


def chunks(items: Iterable[_T], size: int = PAGE_SIZE) -> Iterator[list[_T]]:
    """Split items into lists of at most ``size``, each made when it is requested."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
