"""From the ``filepaths`` of a task to local files: files, folders, glob patterns and object storage URLs."""

import mimetypes
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

DOWNLOADS_AT_A_TIME = 8
# Types that mimetypes does not know everywhere.
_MORE_TYPES = {".avif": "image/avif", ".heic": "image/heic", ".heif": "image/heif", ".webp": "image/webp"}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to ingest: where the user said it is.

    :param location: its local path, or its object storage URL.
    """

    location: "Path | ObjectStoragePath"

    def __str__(self) -> str:
        return str(self.location)


def find_files(filepaths: str | Path | Sequence[str | Path]) -> list[SourceFile]:
    """Find the files that are meant, in the order given, each once.

    A folder means the images and videos anywhere below it, hidden ones left out; a pattern or a name means just what it
    says, whatever its type.

    :param filepaths: paths, folders, glob patterns (``**`` crosses folders), or URLs such as ``s3://bucket/folder``,
        ``gs://…`` and ``file://…``, with ``conn_id@`` before the bucket where it needs a connection.
    :raises FileNotFoundError: one of them names or matches no file; it says which.
    """
    entries = [filepaths] if isinstance(filepaths, str | Path) else filepaths
    found: dict[str, SourceFile] = {}
    for entry in entries:
        files = _find_remote(str(entry)) if "://" in str(entry) else _find_local(str(entry))
        if not files:
            raise FileNotFoundError(f"no file at {str(entry)!r}")
        found.update({str(file): file for file in files})
    if not found:
        raise FileNotFoundError("no files given")
    return list(found.values())


@contextmanager
def local_copies(files: Sequence[SourceFile]) -> Iterator[list[Path | Exception]]:
    """Give the local path of each file while the block runs, or why there is none.

    Remote files are downloaded into a temporary folder. Every copy keeps its file's name, and lies in a folder of its
    own, for names may repeat.
    """
    with TemporaryDirectory(prefix="lake-") as folder, ThreadPoolExecutor(DOWNLOADS_AT_A_TIME) as pool:

        def fetch(number: int, file: SourceFile) -> Path | Exception:
            if isinstance(file.location, Path):
                return file.location
            path = Path(folder, str(number), file.location.name)
            path.parent.mkdir()
            try:
                _download(file, path)
            except Exception as error:  # noqa: BLE001 - every storage has errors of its own; the user is told of each
                return error
            return path

        yield list(pool.map(fetch, range(len(files)), files))


def _find_local(entry: str) -> list[SourceFile]:
    path = Path(entry).expanduser()
    if path.is_dir():
        below = (found for found in path.rglob("*") if _is_wanted(found.relative_to(path)) and found.is_file())
        return [SourceFile(found) for found in sorted(below)]
    if path.exists() or not has_magic(entry):
        return [SourceFile(path)] if path.exists() else []
    matches = (Path(found) for found in glob(str(path), recursive=True))  # noqa: PTH207 - Path has no such for whole patterns
    return [SourceFile(found) for found in sorted(matches) if found.is_file()]


def _find_remote(entry: str) -> list[SourceFile]:
    from airflow.sdk import ObjectStoragePath

    if urlsplit(entry).scheme == "file":
        return _find_local(unquote(entry.removeprefix("file://").removeprefix("localhost")))
    base, pattern = _split_pattern(entry)
    path = ObjectStoragePath(base)
    if pattern:
        matches = (found for found in path.glob(pattern) if found.is_file())
        return [SourceFile(found) for found in sorted(matches, key=str)]
    if path.is_file():
        return [SourceFile(path)]
    below = (found for found in path.rglob("*") if _is_wanted(found.relative_to(path)) and found.is_file())
    return [SourceFile(found) for found in sorted(below, key=str)]


def _split_pattern(url: str) -> tuple[str, str]:
    """Split a URL before its first segment that is a pattern."""
    segments = url.split("/")
    plain = next((number for number, segment in enumerate(segments) if has_magic(segment)), len(segments))
    return "/".join(segments[:plain]), "/".join(segments[plain:])


def _is_wanted(path: "Path | ObjectStoragePath") -> bool:
    hidden = any(part.startswith(".") for part in path.parts)
    content_type = mimetypes.guess_type(path.name)[0] or _MORE_TYPES.get(path.suffix.lower(), "")
    return not hidden and content_type.startswith(("image/", "video/"))


def _download(file: SourceFile, path: Path) -> None:
    with file.location.open("rb") as source, path.open("wb") as target:
        while block := source.read(1 << 20):
            target.write(block)
