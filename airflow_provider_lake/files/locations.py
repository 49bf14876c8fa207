"""Parses locations that a user gives: a local path, or a URL of an object storage."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

from airflow_provider_lake.exceptions import LakePermanentError
from airflow_provider_lake.text.printable import is_decodable

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_FILE = "file://"
# Schemes that require a bucket: without one, the first folder would be taken for the bucket.
_BUCKET_SCHEMES = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "adl", "az", "wasb", "oss"})


@dataclass(frozen=True, slots=True)
class Remote:
    """A location in an object storage.

    :param fs: its fsspec file system.
    :param path: the path in that file system: a bucket and a key, without a trailing slash.
    :param root: the prefix that all paths of its bucket share.
    :param root_url: the prefix that replaces ``root`` in their URLs, as the user gave it.
    """

    fs: Any
    path: str
    root: str
    root_url: str

    @property
    def url(self) -> str:
        """Its URL."""
        return self.url_of(self.path)

    def url_of(self, path: str) -> str:
        """Return the URL of a path of its bucket."""
        return self.root_url + path.removeprefix(self.root)


def text_of(location: Any, argument: str) -> str:
    """Return a location that a user gave as text.

    :param argument: name of the argument, for the error message.
    :raises LakePermanentError: it is empty; this is never read as the working directory.
    """
    text = os.fsdecode(location) if isinstance(location, bytes) else str(location)
    if location is None or not text.strip() or (isinstance(location, Path) and text == "."):
        given = "None" if location is None else repr(location)
        raise LakePermanentError(f"{argument} is {given}, which names nothing: a template that rendered to nothing?")
    return text


def is_remote(text: str) -> bool:
    """Whether the text is a URL of an object storage; any other text is a local path."""
    return _URL.match(text) is not None and not text.lower().startswith(_FILE)


def local_path(text: str) -> str:
    """Return the local path of a path or a ``file://`` URL.

    A file or folder with exactly the given name takes precedence. Otherwise ``~`` is expanded to a home folder, and
    percent-encoding such as ``%41`` in a URL is decoded.
    """
    if not text.lower().startswith(_FILE):
        path = str(Path(text))
        return path if os.path.lexists(path) else os.path.expanduser(path)  # noqa: PTH111 - takes unknown users as names
    rest = text[len(_FILE) :]
    if rest.startswith("localhost/"):
        rest = rest.removeprefix("localhost")
    path = str(Path(rest))
    return path if os.path.lexists(path) else os.fsdecode(unquote_to_bytes(os.fsencode(path)))


def to_storable(path: str) -> str:
    """Return a local path as text that can be stored: as a ``file://`` URL if the path is not UTF-8."""
    if is_decodable(path):
        return path
    return f"{_FILE}{quote_from_bytes(os.path.abspath(os.fsencode(path)))}"  # noqa: PTH100 - a Path cannot hold bytes


def remote(url: str) -> Remote:
    """Return the location of a URL such as ``s3://conn_id@bucket/key``.

    Only the bucket is parsed by Airflow's ``ObjectStoragePath``, which is enough to find its file system: versions of
    it differ in how they parse keys.

    :raises LakePermanentError: the URL names no bucket, or no installed file system supports its scheme.
    """
    import fsspec
    from airflow.sdk import ObjectStoragePath

    scheme, _, rest = url.partition("://")
    authority, slash, key = rest.partition("/")
    bucket = authority.rpartition("@")[2]
    if not bucket and (scheme.lower() in _BUCKET_SCHEMES or not key.strip("/")):
        raise LakePermanentError(f"{url!r} names no bucket: a template that rendered to nothing?")
    try:
        fs = ObjectStoragePath(f"{scheme}://{authority}").fs
    except ValueError:  # no Airflow provider supports this scheme
        if "@" in authority:
            raise
        try:
            fs = fsspec.filesystem(scheme)
        except (ValueError, ImportError) as error:
            raise LakePermanentError(f"{url!r} cannot be opened: {error}") from error

    # Every fsspec method strips the protocol first. Only the bucket is stripped here: a key might be altered by it.
    root = str(fs._strip_protocol(f"{scheme}://{bucket}")).rstrip("/")  # noqa: SLF001 - fsspec has no public name for it
    path = f"{root}{slash}{key}".rstrip("/")
    return Remote(fs, path, root, f"{scheme}://{authority}")
