"""Suggestions for a name that does not exist."""

from collections.abc import Iterable
from difflib import get_close_matches

_MOST_SHOWN = 3
_MOST_LISTED = 10


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence that suggests similar names, or lists the known ones; empty: there are none."""
    names = list(known)
    by_lower = {each.lower(): each for each in names}
    near = [by_lower[each] for each in get_close_matches(name.lower(), by_lower, _MOST_SHOWN)]
    if near:
        return f"; did you mean {' or '.join(map(repr, near))}?"
    if not names:
        return ""
    rest = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return f"; there are {', '.join(map(repr, names[:_MOST_LISTED]))}{rest}"
