"""How a task says which names it means; which data, says ``data_selection``."""

from collections.abc import Sequence


def as_names(value: str | Sequence[str] | None) -> list[str]:
    """Return one name, several or none as a list; a template often renders to a single string.

    Empty strings are left out: they are templates that rendered to nothing.
    """
    if value is None:
        return []
    return [str(name) for name in ([value] if isinstance(value, str) else value) if name not in {"", None}]
