"""How many data a list has: counted once, and again only after something was written."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

_MAX_COUNTS = 1024


class CountCache:
    """Remembers counts as long as the database is in the state that was counted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: OrderedDict[Hashable, tuple[Hashable, int]] = OrderedDict()

    def get(self, key: Hashable, state: Hashable, count: Callable[[], int]) -> int:
        """Return the count of a list, and count it where that was not done in this state.

        :param key: names the list.
        :param state: names the state of the database that the caller sees.
        """
        with self._lock:
            counted_in, known = self._counts.get(key, (None, 0))
        if counted_in == state:
            return known
        found = count()
        with self._lock:
            self._counts[key] = (state, found)
            self._counts.move_to_end(key)
            if len(self._counts) > _MAX_COUNTS:
                self._counts.popitem(last=False)
        return found
