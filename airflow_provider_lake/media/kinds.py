"""Maps filenames to content types, and to the kinds image and video.

Client, operators and lake share one table, which is the same on every machine: the tables of `mimetypes` differ between
operating systems and Python versions.
"""

from collections.abc import Mapping
from typing import Literal

Kind = Literal["IMAGE", "VIDEO"]

UNKNOWN = "application/octet-stream"

_IMAGES: Mapping[str, str] = {
    "apng": "image/apng",
    "avif": "image/avif",
    "avifs": "image/avif",
    "bmp": "image/bmp",
    "dib": "image/bmp",
    "gif": "image/gif",
    "heic": "image/heic",
    "heics": "image/heic",
    "heif": "image/heif",
    "heifs": "image/heif",
    "hif": "image/heif",
    "ico": "image/vnd.microsoft.icon",
    "j2c": "image/jp2",
    "j2k": "image/jp2",
    "jfi": "image/jpeg",
    "jfif": "image/jpeg",
    "jif": "image/jpeg",
    "jp2": "image/jp2",
    "jpc": "image/jp2",
    "jpe": "image/jpeg",
    "jpeg": "image/jpeg",
    "jpf": "image/jpx",
    "jpg": "image/jpeg",
    "jpx": "image/jpx",
    "mpo": "image/jpeg",
    "pbm": "image/x-portable-bitmap",
    "pgm": "image/x-portable-graymap",
    "png": "image/png",
    "pnm": "image/x-portable-anymap",
    "ppm": "image/x-portable-pixmap",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "webp": "image/webp",
}
_VIDEOS: Mapping[str, str] = {
    "3g2": "video/3gpp2",
    "3gp": "video/3gpp",
    "3gp2": "video/3gpp2",
    "3gpp": "video/3gpp",
    "asf": "video/x-ms-asf",
    "avi": "video/x-msvideo",
    "divx": "video/x-msvideo",
    "dv": "video/x-dv",
    "f4v": "video/mp4",
    "flv": "video/x-flv",
    "h264": "video/h264",
    "m1v": "video/mpeg",
    "m2t": "video/mp2t",
    "m2ts": "video/mp2t",
    "m2v": "video/mpeg",
    "m4v": "video/x-m4v",
    "mkv": "video/x-matroska",
    "mov": "video/quicktime",
    "mp4": "video/mp4",
    "mpe": "video/mpeg",
    "mpeg": "video/mpeg",
    "mpg": "video/mpeg",
    "mts": "video/mp2t",
    "mxf": "application/mxf",
    "ogv": "video/ogg",
    "qt": "video/quicktime",
    "rm": "application/vnd.rn-realmedia",
    "rmvb": "application/vnd.rn-realmedia-vbr",
    "ts": "video/mp2t",
    "vob": "video/mpeg",
    "webm": "video/webm",
    "wmv": "video/x-ms-wmv",
    "wtv": "video/x-ms-wtv",
}
# Files that accompany images and videos: job logs, metadata, annotations.
_OTHERS: Mapping[str, str] = {
    "csv": "text/csv",
    "gz": "application/gzip",
    "html": "text/html",
    "json": "application/json",
    "log": "text/plain",
    "pdf": "application/pdf",
    "svg": "image/svg+xml",
    "txt": "text/plain",
    "xml": "text/xml",
    "xmp": "application/rdf+xml",
    "zip": "application/zip",
}
_TYPES: Mapping[str, str] = {**_OTHERS, **_IMAGES, **_VIDEOS}


def suffix_of(name: str) -> str:
    """Return the suffix after the last dot of a filename, in lower case; empty: there is none.

    :param name: name of a file or an object, with or without folders.
    """
    # The same as PurePosixPath.suffix, at a sixth of its cost.
    stem, dot, suffix = name.rpartition("/")[2].rpartition(".")
    return suffix.lower() if stem and dot else ""


def content_type_of(name: str) -> str:
    """Return the content type for the suffix of a name; ``application/octet-stream`` if the suffix is unknown."""
    return _TYPES.get(suffix_of(name), UNKNOWN)


def kind_of(name: str) -> Kind | None:
    """Return whether a name is that of an image or of a video; None: neither."""
    suffix = suffix_of(name)
    if suffix in _IMAGES:
        return "IMAGE"
    return "VIDEO" if suffix in _VIDEOS else None


def data_type_of(name: str) -> Kind:
    """Return the expected type of a file's data: anything but a video counts as an image until it is processed."""
    return kind_of(name) or "IMAGE"


def suffixes(kind: Kind) -> list[str]:
    """Return the suffixes of a kind, in alphabetical order."""
    return sorted(_IMAGES if kind == "IMAGE" else _VIDEOS)
