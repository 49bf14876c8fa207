"""Long lists come in pages: here they are lazy iterators."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from airflow_provider_lake.client.http import Params, Session

PAGE_SIZE = 1000
# Of tags, sources and processings; how many a lake gives at most is known of data only.
SHORT_PAGE_SIZE = 100
_T = TypeVar("_T")


def by_cursor(fetch: Callable[[Params], Any], limit: int | None, offset: int | None) -> Iterator[Any]:
    """Yield the items of all pages, following the cursor that each page gives; rows added meanwhile shift nothing.

    :param fetch: gets one page by query parameters.
    :param limit: at most so many items; None: all.
    :param offset: items to skip at the beginning.
    """
    position: list[tuple[str, Any]] = [("offset", offset)]
    left = limit
    while left is None or left > 0:
        size = PAGE_SIZE if left is None else min(PAGE_SIZE, left)
        page = fetch([("limit", size), *position])
        items = page["items"][:size]
        yield from items
        left = None if left is None else left - len(items)
        if page.get("next_cursor") is None:
            return
        position = [("cursor", page["next_cursor"])]
        # While the next page is on its way this one is not needed.
        del page, items


def by_offset(
    fetch: Callable[[Params], Any], limit: int | None, offset: int | None, page_size: int = PAGE_SIZE
) -> Iterator[Any]:
    """Yield the items of all pages, asking for each by the number of items before it.

    :param fetch: gets one page by query parameters.
    :param limit: at most so many items; None: all.
    :param offset: items to skip at the beginning.
    """
    left, skip = limit, offset
    while left is None or left > 0:
        size = page_size if left is None else min(page_size, left)
        page = fetch([("limit", size), ("offset", skip)])
        items = page["items"][:size]
        yield from items
        left = None if left is None else left - len(items)
        skip = (skip or 0) + len(items)
        # A lake may give less than was asked for, though there is more.
        if not items or (len(items) < size and skip >= page.get("count", 0)):
            return
        del page, items


def list_named(
    session: Session, path: str, limit: int | None, offset: int | None, order_by: Sequence[str] | None
) -> Iterator[Any]:
    """Yield the items at a path that pages by offset."""
    order = [("order_by", field) for field in order_by or ()]
    return by_offset(lambda page: session.request("GET", path, params=[*page, *order]), limit, offset, SHORT_PAGE_SIZE)


def chunks(items: Iterable[_T], size: int = PAGE_SIZE) -> Iterator[list[_T]]:
    """Cut items into lists of at most ``size``, each made when it is asked for."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
