"""What somebody may have meant who wrote a name that is none."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from itertools import islice

from airflow_provider_lake.client.errors import LakeError

_MOST_SHOWN = 3
_MOST_LISTED = 10
_MOST_COMPARED = 1000


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence that says which names are near, or which there are; empty: there are none."""
    names = list(known)
    by_lower = {each.lower(): each for each in names}
    near = [by_lower[each] for each in get_close_matches(name.lower(), by_lower, _MOST_SHOWN)]
    if near:
        return f"; did you mean {' or '.join(map(repr, near))}?"
    if not names:
        return ""
    rest = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return f"; there are {', '.join(map(repr, names[:_MOST_LISTED]))}{rest}"


def hint(name: str, ask: Callable[[], Iterable[str]]) -> str:
    """Return the same of names that a lake must be asked for; empty where it does not tell them."""
    try:
        return did_you_mean(name, islice(ask(), _MOST_COMPARED))
    except LakeError:
        return ""
