"""Under which names records are saved on this machine: a filename comes from the lake, and may be any text."""

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Protocol, TypeVar
from uuid import UUID

# File systems take names of 255 bytes.
MAX_NAME_BYTES = 255
# What is longer is no suffix by which programs know a file.
_LONGEST_SUFFIX = 32
# Of names that must be told from each other by an id.
_LONGEST_STEM = 50


def local_name(filename: str) -> str:
    """Return a filename as any file system takes it, without folders; a long one keeps its suffix.

    :return: empty, or dots: it names no file.
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
    """Return a filename with the record's id before its suffix, which no other record has."""
    path = _sanitize(filename)
    return _with_suffix(f"{path.stem[:_LONGEST_STEM]}-{record_id}", path.suffix)


def _sanitize(filename: str) -> PurePosixPath:
    """Return a filename without what no file system, or no encoding, takes."""
    return PurePosixPath(filename.replace("\0", "_").encode("utf-8", "replace").decode())


def _with_suffix(name: str, suffix: str) -> str:
    return name + _cut(suffix, MAX_NAME_BYTES - len(name.encode()))


def _cut(text: str, size: int) -> str:
    """Return the beginning of a text that has at most so many bytes."""
    return text.encode()[:size].decode("utf-8", "ignore")


class NamedRecord(Protocol):
    """What has a filename and an id."""

    @property
    def id(self) -> UUID:
        """Its id."""

    @property
    def filename(self) -> str:
        """What its file was called."""


_N = TypeVar("_N", bound=NamedRecord)


def distinct_names(things: Iterable[_N], use_id: bool) -> Iterator[tuple[_N, str]]:
    """Yield things with the names of the files they are to become, no two of them the same.

    Of those with the same filename all but the first get their id behind it.

    :param use_id: name each after its id, with the extension of its filename.
    """
    used_names: set[str] = set()
    for each in things:
        # A filename comes from the lake: it must not lead out of the folder.
        name = name_by_id(each.id, each.filename) if use_id else local_name(each.filename)
        # There are file systems to which upper and lower case are alike.
        if name.casefold() in used_names or not name.strip("."):
            name = name_with_id(each.id, each.filename)
        used_names.add(name.casefold())
        yield each, name
