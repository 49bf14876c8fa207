"""Under which names records are saved on this machine: a filename comes from the lake, and may be any text."""

from pathlib import PurePosixPath
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
    name = _storable(filename).name
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    suffix = PurePosixPath(name).suffix
    if len(suffix.encode()) > _LONGEST_SUFFIX:
        suffix = ""
    return _cut(name, MAX_NAME_BYTES - len(suffix.encode())) + suffix


def name_by_id(record_id: UUID, filename: str) -> str:
    """Return a record's id with the suffix of its filename."""
    return _with_suffix(str(record_id), _storable(filename).suffix)


def name_with_id(record_id: UUID, filename: str) -> str:
    """Return a filename with the record's id before its suffix, which no other record has."""
    path = _storable(filename)
    return _with_suffix(f"{path.stem[:_LONGEST_STEM]}-{record_id}", path.suffix)


def _storable(filename: str) -> PurePosixPath:
    """Return a filename without what no file system, or no encoding, takes."""
    return PurePosixPath(filename.replace("\0", "_").encode("utf-8", "replace").decode())


def _with_suffix(name: str, suffix: str) -> str:
    return name + _cut(suffix, MAX_NAME_BYTES - len(name.encode()))


def _cut(text: str, size: int) -> str:
    """Return the beginning of a text that has at most so many bytes."""
    return text.encode()[:size].decode("utf-8", "ignore")
