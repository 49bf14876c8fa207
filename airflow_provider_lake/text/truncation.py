"""Shortens values and lists for messages in logs and databases."""

from collections.abc import Sequence

MAX_LINES = 20


def truncate(value: object, length: int = 2000) -> str:
    """Return a value as text of at most ``length`` characters; longer text ends with its full length."""
    text = str(value)
    return text if len(text) <= length else f"{text[:length]}… ({len(text)} characters)"


def first_lines(values: Sequence[object]) -> list[str]:
    """Return the first 20 values as one line each, and a line with the number of values left out, if any."""
    rest = len(values) - MAX_LINES
    return [*map(str, values[:MAX_LINES]), *([f"… and {rest} more"] if rest > 0 else [])]
