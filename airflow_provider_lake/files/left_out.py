"""Counts and logs the files that a task leaves out, by reason."""

import logging
from collections import Counter

from airflow_provider_lake.media.kinds import suffix_of
from airflow_provider_lake.text.printable import one_line, to_printable

HIDDEN_FILE = "hidden file"
HIDDEN_FOLDER = "hidden folder"
FOLDER_MARKER = "folder marker"
FOLDER = "folder"
DANGLING_LINK = "dangling link"
UNREADABLE_FOLDER = "unreadable folder"
NOT_REGULAR_FILE = "no regular file"
DUPLICATE_LINK = "another link to the same"
NO_SUFFIX = "no suffix"
OTHER = "other"

# A summary is stored in Airflow's database.
MAX_REASONS = 20
MAX_NAMED = 20
_LONGEST_SUFFIX = 16
# Reasons that a user should check: the log names the first files of each.
_NAMED = frozenset({DANGLING_LINK, NOT_REGULAR_FILE})

logger = logging.getLogger(__name__)


class LeftOut:
    """Counts the files and folders that are left out, each path once."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._paths: set[str] = set()
        self._named: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._counts)

    def __str__(self) -> str:
        """Describe them in one line: ``left out 12 files: 10 .txt, 2 .xmp``."""
        total = self._counts.total()
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.summary().items())
        return f"left out {total} {'file' if total == 1 else 'files'}: {reasons}"

    def add(self, reason: str, path: str) -> None:
        """Count a file or a folder."""
        if path in self._paths:
            return
        self._paths.add(path)
        self._counts[reason] += 1
        if reason in _NAMED and len(self._named) < MAX_NAMED:
            self._named.append(f"{reason}: {one_line(path)}")

    def add_kind(self, path: str) -> None:
        """Count a file that is neither an image nor a video, by its suffix."""
        suffix = to_printable(suffix_of(path))
        kind = f".{suffix}" if suffix else NO_SUFFIX
        self.add(OTHER if len(suffix) > _LONGEST_SUFFIX else kind, path)

    def summary(self) -> dict[str, int]:
        """Return the number for each reason, the most frequent first; rare suffixes are counted together."""
        kept = dict(self._counts.most_common(MAX_REASONS))
        rest = self._counts.total() - sum(kept.values())
        return kept | ({OTHER: kept.get(OTHER, 0) + rest} if rest else {})

    def log(self) -> None:
        """Log the counts, and a warning with the path of each item that a user should check."""
        if self:
            logger.info("%s", self)
        for line in self._named:
            logger.warning("Left out: %s", line)
