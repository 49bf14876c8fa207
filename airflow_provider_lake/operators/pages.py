"""Long sequences of data in pages, one of them in memory at a time."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

_T = TypeVar("_T")


def pages(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Cut an iterable into lists of at most ``size`` items, made when they are asked for."""
    iterator = iter(items)
    while page := list(islice(iterator, size)):
        yield page
