"""The progress of an import; stored with the job after every batch."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Generic, Self, TypeVar
from urllib.parse import quote, unquote

_MAX_FAILURES = 20

RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An object to import.

    :param size: in bytes, if the listing of the bucket has it.
    """

    object_name: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """An object that could not be imported, and why."""

    object_name: str
    reason: str


@dataclass(frozen=True, slots=True)
class BatchResult(Generic[RowT]):
    """The result of reading a batch of objects.

    :param rows: rows to add.
    :param failures: objects that cannot be added. Objects in neither exist already.
    """

    rows: Sequence[RowT]
    failures: Sequence[Failure]


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of an import.

    :param total: objects to import; counted once, before the first batch.
    :param done: objects processed; the sum of the next three.
    :param imported: objects that became data.
    :param skipped: objects that were data already.
    :param failed: objects that could not be imported; ``failures`` names the first of them.
    :param after: the last object name that was processed; an interrupted import resumes after it.
    :param found: objects of any kind below each prefix, as they were counted.
    :param left_out: those of them that are neither images nor videos, by the reason.
    """

    total: int
    done: int = 0
    imported: int = 0
    skipped: int = 0
    failed: int = 0
    failures: tuple[Failure, ...] = ()
    after: str | None = None
    found: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Read what ``to_json`` made."""
        failures = tuple(Failure(**failure) for failure in stored["failures"])
        return cls(**stored | {"failures": failures, "after": _name(stored["after"])})

    def to_json(self) -> dict[str, Any]:
        """Return the counts as they are stored; responses have all but ``after``."""
        return asdict(self) | {"after": None if self.after is None else _stored(self.after)}

    def plus(self, count: int, *, imported: int, failures: Sequence[Failure], after: str) -> Self:
        """Return the progress after a batch of ``count`` more objects."""
        done = self.done + count
        return replace(
            self,
            # Objects may have been added since they were counted.
            total=max(self.total, done),
            done=done,
            imported=self.imported + imported,
            skipped=self.skipped + count - imported - len(failures),
            failed=self.failed + len(failures),
            failures=(*self.failures, *failures)[:_MAX_FAILURES],
            after=after,
        )


def _stored(name: str) -> str | dict[str, str]:
    """Return a name in a form that JSON can hold: names of files need not be text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return {"quoted": quote(name, errors="surrogateescape")}
    return name


def _name(stored: str | dict[str, str] | None) -> str | None:
    return unquote(stored["quoted"], errors="surrogateescape") if isinstance(stored, dict) else stored
