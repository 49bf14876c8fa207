"""Reading many objects, several at the same time."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

# Reading from a remote storage is mostly waiting.
_READERS = 8

T = TypeVar("T")
R = TypeVar("R")


def read_all(read: Callable[[T], R], objects: Sequence[T]) -> list[R]:
    """Return the result of a function for each object, in their order.

    Each thread gets one part of the list: passing objects one by one would cost as much as reading a local file.
    """
    size = -(-len(objects) // _READERS) or 1
    parts = [objects[start : start + size] for start in range(0, len(objects), size)]
    if len(parts) <= 1:
        return [read(each) for each in objects]
    with ThreadPoolExecutor(_READERS) as pool:
        return [found for part in pool.map(lambda part: [read(each) for each in part], parts) for found in part]
