"""Which object names, prefixes and file names are valid."""

import re
from pathlib import PurePosixPath
from uuid import UUID

from airflow_provider_lake.server.errors import BadRequestError
from airflow_provider_lake.server.row_ids import new_id

MAX_OBJECT_NAME_BYTES = 1024  # as on S3
MAX_SEGMENT_BYTES = 255  # as on common file systems
MAX_FILENAME_LENGTH = 256
# Folder of the objects of all organizations except the first; clients can use no name or prefix in it.
RESERVED = ".organizations"
_SHOWN = 80
_LONGEST_SUFFIX = 32
_FORBIDDEN_CHARACTERS = re.compile(r"[\\\x00-\x1f\x7f]")
_UPLOADED = re.compile(r"(data|projections|logs)/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-.+")


def check_object_name(name: str) -> str:
    """Return an object name unchanged if it is safe on every store: relative, without empty or dotted segments.

    :raises BadRequestError: it is not; the message says why.
    """
    _check_text("object name", name)
    if not name:
        raise BadRequestError("the object name is empty")
    first, *_ = segments = name.split("/")
    for segment in segments:
        _check_segment(name, segment)
    _check_reserved(name, first)
    return name


def check_prefix(prefix: str) -> str:
    """Return a prefix of object names unchanged if it is valid; an empty one means all objects.

    :raises BadRequestError: no object name can start with it.
    """
    _check_text("prefix", prefix)
    *folders, _ = prefix.split("/")
    for segment in folders:
        _check_segment(prefix, segment)
    _check_reserved(prefix, *folders[:1])
    return prefix


def upload_name(folder: str, filename: str) -> str:
    """Return a new, unique object name for a file to upload; a long file name is cut before its suffix.

    :raises BadRequestError: the file name cannot be part of an object name.
    """
    beginning, whole = f"{new_id()}-", filename.encode("utf-8", "replace")
    room = MAX_SEGMENT_BYTES - len(beginning)
    if len(whole) > room:
        suffix = PurePosixPath(filename).suffix.encode("utf-8", "replace")
        if len(suffix) > _LONGEST_SUFFIX:
            suffix = b""
        filename = (whole[: room - len(suffix)] + suffix).decode("utf-8", "ignore")
    return check_object_name(f"{folder}/{beginning}{filename}")


def is_upload_name(name: str) -> bool:
    """Whether a name has the form of those that the lake makes for uploads."""
    return _UPLOADED.fullmatch(name) is not None


def organization_prefix(organization_id: UUID) -> str:
    """Return the prefix of the keys of an organization's objects, for every organization except the first."""
    return f"{RESERVED}/{organization_id}/"


def split_key(key: str) -> tuple[str, str]:
    """Split a key that this lake has signed into the organization's prefix and the object name."""
    first, *rest = key.split("/", 2)
    return (f"{first}/{rest[0]}/", rest[1]) if first == RESERVED else ("", key)


def check_filename(name: str) -> str:
    """Return a file name unchanged if it is valid: one segment.

    :raises BadRequestError: it is empty, too long, or has a slash.
    """
    _check_text("file name", name)
    if not name or "/" in name or name in {".", ".."} or len(name) > MAX_FILENAME_LENGTH:
        raise BadRequestError(
            f"file name {_shorten(name)} must be one segment of 1 to {MAX_FILENAME_LENGTH} characters"
        )
    return name


def _check_text(kind: str, name: str) -> None:
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise BadRequestError(f"{kind} is no valid Unicode text") from None
    if size > MAX_OBJECT_NAME_BYTES:
        raise BadRequestError(f"{kind} {_shorten(name)} is longer than {MAX_OBJECT_NAME_BYTES} bytes")
    if _FORBIDDEN_CHARACTERS.search(name):
        raise BadRequestError(f"{kind} {_shorten(name)} has a backslash or a control character")


def _check_reserved(name: str, first: str = "") -> None:
    if first == RESERVED:
        raise BadRequestError(f"{_shorten(name)} begins with {RESERVED}, which is the lake's own")


def _check_segment(name: str, segment: str) -> None:
    if segment in {"", ".", ".."}:
        raise BadRequestError(
            f"{_shorten(name)} has a segment {segment!r}: names are relative, without empty or dotted ones"
        )
    if len(segment.encode()) > MAX_SEGMENT_BYTES:
        raise BadRequestError(f"{_shorten(name)} has a segment longer than {MAX_SEGMENT_BYTES} bytes")


def _shorten(name: str) -> str:
    return repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…")
