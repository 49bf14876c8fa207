"""A cache of how many data a list has: counted again only after a write."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

_MAX_COUNTS = 1024


class CountCache:
    """Stores counts as long as the database stays in the state in which they were made."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: OrderedDict[Hashable, tuple[Hashable, int]] = OrderedDict()

    def get(self, key: Hashable, state: Hashable, count: Callable[[], int]) -> int:
        """Return the count of a list; call ``count`` if it is not cached for this state.

        :param key: identifies the list.
        :param state: identifies the state of the database that the caller sees.
        """
        with self._lock:
            counted_in, known = self._counts.get(key, (None, 0))
        if counted_in == state:
            return known
        result = count()
        with self._lock:
            self._counts[key] = (state, result)
            self._counts.move_to_end(key)
            if len(self._counts) > _MAX_COUNTS:
                self._counts.popitem(last=False)
        return result
