"""What a user's text means: a path of this machine, or a URL of an object storage."""

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
# Where nothing works without a bucket: an empty one would have the first folder taken for it.
_BUCKET_SCHEMES = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "adl", "az", "wasb", "oss"})


@dataclass(frozen=True, slots=True)
class Remote:
    """A place in an object storage.

    :param fs: its fsspec file system.
    :param path: the place there: a bucket and a key, without a slash at the end.
    :param root: what the paths of its bucket begin with.
    :param root_url: what their URLs begin with instead, as the user gave it.
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
    """Return what a user gave as text.

    :param argument: its name, for the message.
    :raises LakePermanentError: it is empty, which means nothing, and never the working directory.
    """
    text = os.fsdecode(location) if isinstance(location, bytes) else str(location)
    if location is None or not text.strip() or (isinstance(location, Path) and text == "."):
        given = "None" if location is None else repr(location)
        raise LakePermanentError(f"{argument} is {given}, which names nothing: a template that rendered to nothing?")
    return text


def is_remote(text: str) -> bool:
    """Whether it is the URL of an object storage; other text is a path of this machine."""
    return _URL.match(text) is not None and not text.lower().startswith(_FILE)


def local_path(text: str) -> str:
    """Return the path that a path or a ``file://`` URL means.

    What is there under the name as it is written is meant first. Else ``~`` stands for a home folder, and ``%41`` in a
    URL for a letter.
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
    """Return a path of this machine as text that can be stored: a ``file://`` URL where the path is not UTF-8."""
    if is_decodable(path):
        return path
    return f"{_FILE}{quote_from_bytes(os.path.abspath(os.fsencode(path)))}"  # noqa: PTH100 - bytes are no Path


def remote(url: str) -> Remote:
    """Return what a URL such as ``s3://conn_id@bucket/key`` means.

    Only the bucket goes through Airflow's own paths, which is enough to find its file system: what a key is made of,
    versions of these understand differently.

    :raises LakePermanentError: it names no bucket, or this machine has nothing that knows such URLs.
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
    except ValueError:  # no provider of Airflow's has such
        if "@" in authority:
            raise
        try:
            fs = fsspec.filesystem(scheme)
        except (ValueError, ImportError) as error:
            raise LakePermanentError(f"{url!r} cannot be opened: {error}") from error

    # What every method of a file system does with a URL first; of a key, it might take more for syntax than slashes.
    root = str(fs._strip_protocol(f"{scheme}://{bucket}")).rstrip("/")  # noqa: SLF001 - fsspec has no public name for it
    path = f"{root}{slash}{key}".rstrip("/")
    return Remote(fs, path, root, f"{scheme}://{authority}")
