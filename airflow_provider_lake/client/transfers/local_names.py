"""Local file names of downloaded records: a filename comes from the lake and may be any text."""

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Protocol, TypeVar
from uuid import UUID

# File systems accept names of up to 255 bytes.
MAX_NAME_BYTES = 255
# A longer one is not a suffix by which programs recognize a file type.
_LONGEST_SUFFIX = 32
# Of names that get an id to make them unique.
_LONGEST_STEM = 50


def local_name(filename: str) -> str:
    """Return a filename that any file system accepts, without folders; a long one keeps its suffix.

    :return: an empty string, or only dots, if the filename is not usable.
    """
    name = _sanitize(filename).name
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    suffix = PurePosixPath(name).suffix
    if len(suffix.encode()) > _LONGEST_SUFFIX:
        suffix = ""
    return _cut(name, MAX_NAME_BYTES - len(suffix.encode())) + suffix


def name_by_id(record_id: UUID, filename: str) -> str:
    """Return a record's id with the suffix of its filename."""
    return _with_suffix(str(record_id), _sanitize(filename).suffix)


def name_with_id(record_id: UUID, filename: str) -> str:
    """Return a filename with the record's id before its suffix, which makes it unique."""
    path = _sanitize(filename)
    return _with_suffix(f"{path.stem[:_LONGEST_STEM]}-{record_id}", path.suffix)


def _sanitize(filename: str) -> PurePosixPath:
    """Return a filename without the characters that some file systems or encodings do not accept."""
    return PurePosixPath(filename.replace("\0", "_").encode("utf-8", "replace").decode())


def _with_suffix(name: str, suffix: str) -> str:
    return name + _cut(suffix, MAX_NAME_BYTES - len(name.encode()))


def _cut(text: str, size: int) -> str:
    """Return the longest start of a text that has at most this many bytes."""
    return text.encode()[:size].decode("utf-8", "ignore")


class NamedRecord(Protocol):
    """A record that has a filename and an id."""

    @property
    def id(self) -> UUID:
        """Id of the record."""

    @property
    def filename(self) -> str:
        """Name of the record's file."""


_N = TypeVar("_N", bound=NamedRecord)


def distinct_names(things: Iterable[_N], use_id: bool) -> Iterator[tuple[_N, str]]:
    """Yield records with the names of the files to save them as, no two of them the same.

    When several records have the same filename, all but the first get their id before the suffix.

    :param use_id: name each file after the record's id, with the extension of its filename.
    """
    used_names: set[str] = set()
    for each in things:
        # A filename comes from the lake: it must not lead out of the folder.
        name = name_by_id(each.id, each.filename) if use_id else local_name(each.filename)
        # Some file systems do not distinguish upper and lower case.
        if name.casefold() in used_names or not name.strip("."):
            name = name_with_id(each.id, each.filename)
        used_names.add(name.casefold())
        yield each, name
