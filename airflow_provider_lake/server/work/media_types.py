"""Content types by file name, the same on every machine."""

from collections.abc import Mapping
from functools import cache
from mimetypes import MimeTypes

DEFAULT = "application/octet-stream"

# What Python's table misses, in one version or another.
_ADDED = {
    ".avif": "image/avif",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".jp2": "image/jp2",
    ".m4v": "video/x-m4v",
    ".mkv": "video/x-matroska",
    ".webp": "image/webp",
    ".wmv": "video/x-ms-wmv",
}


def content_type_of(object_name: str) -> str:
    """Return the content type that a name claims; ``application/octet-stream`` where it claims none that is known."""
    # As PurePosixPath.suffix has it, for a sixth of its cost.
    stem, dot, suffix = object_name.rpartition("/")[2].rpartition(".")
    return _types().get(f".{suffix}".lower(), DEFAULT) if stem and dot else DEFAULT


def is_media(content_type: str) -> bool:
    """Whether it is that of an image or a video."""
    return content_type.startswith(("image/", "video/"))


@cache
def _types() -> Mapping[str, str]:
    # Python's own table: the functions of mimetypes read files of the machine too.
    return MimeTypes().types_map[True] | _ADDED
