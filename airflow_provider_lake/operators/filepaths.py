"""From the ``filepaths`` of a task to local files: files, folders, glob patterns and object storage URLs."""

from collections.abc import Iterable, Iterator, Sequence
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
    return list(_find_files(filepaths, missing_ok=False))


def _find_files(filepaths: str | Path | Sequence[str | Path], *, missing_ok: bool) -> Iterable[SourceFile]:
    entries = [filepaths] if isinstance(filepaths, str | Path) else filepaths
    found: dict[str, SourceFile] = {}
    for entry in entries:
        files = _find_remote(str(entry)) if "://" in str(entry) else _find_local(str(entry))
        if not files and not missing_ok:
            raise FileNotFoundError(f"no file at {str(entry)!r}")
        found.update({str(file): file for file in files})
    if not found and not missing_ok:
        raise FileNotFoundError("no files given")
    return found.values()


def source_file(location: str | Path) -> SourceFile:
    """Return the one file at a path or a URL, whether it is there or not."""
    text = str(location)
    if "://" not in text:
        return SourceFile(Path(text).expanduser())
    if urlsplit(text).scheme == "file":
        return SourceFile(_local_path(text))
    from airflow.sdk import ObjectStoragePath

    return SourceFile(ObjectStoragePath(text))


def chunk_files(
    filepaths: str | Path | Sequence[str | Path],
    *,
    chunk_size: int = 1000,
    max_bytes: int | None = None,
    missing_ok: bool = False,
) -> list[list[str]]:
    """Find the files that are meant, and split them into chunks for mapped uploads: ``.expand(filepaths=chunks)``.

    :param filepaths: as :func:`find_files` takes them.
    :param chunk_size: at most so many files in a chunk.
    :param max_bytes: at most so many bytes in a chunk, unless one file alone has more; None: any number.
    :param missing_ok: return no chunk where no file is found, so that Airflow skips the mapped task.
    :raises FileNotFoundError: one of ``filepaths`` names or matches no file, and ``missing_ok`` is not set.
    :raises ValueError: a limit below 1.
    """
    if chunk_size < 1 or (max_bytes is not None and max_bytes < 1):
        raise ValueError("chunk_size and max_bytes are at least 1")
    chunks: list[list[str]] = []
    size = 0
    for file in _find_files(filepaths, missing_ok=missing_ok):
        file_size = 0 if max_bytes is None else file.location.stat().st_size
        is_full = (
            not chunks or len(chunks[-1]) >= chunk_size or (max_bytes is not None and size + file_size > max_bytes)
        )
        if is_full:
            chunks.append([])
            size = 0
        chunks[-1].append(str(file))
        size += file_size
    return chunks


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
        return _find_local(str(_local_path(entry)))
    base, pattern = _split_pattern(entry)
    path = ObjectStoragePath(base)
    if pattern:
        matches = (found for found in path.glob(pattern) if found.is_file())
        return [SourceFile(found) for found in sorted(matches, key=str)]
    if path.is_file():
        return [SourceFile(path)]
    below = (found for found in path.rglob("*") if _is_wanted(found.relative_to(path)) and found.is_file())
    return [SourceFile(found) for found in sorted(below, key=str)]


def _local_path(url: str) -> Path:
    return Path(unquote(url.removeprefix("file://").removeprefix("localhost")))


def _split_pattern(url: str) -> tuple[str, str]:
    """Split a URL before its first segment that is a pattern."""
    segments = url.split("/")
    plain = next((number for number, segment in enumerate(segments) if has_magic(segment)), len(segments))
    return "/".join(segments[:plain]), "/".join(segments[plain:])


def _is_wanted(path: "Path | ObjectStoragePath") -> bool:
    from airflow_provider_lake.client.media import content_type_of

    hidden = any(part.startswith(".") for part in path.parts)
    return not hidden and content_type_of(path.name).startswith(("image/", "video/"))


def _download(file: SourceFile, path: Path) -> None:
    with file.location.open("rb") as source, path.open("wb") as target:
        while block := source.read(1 << 20):
            target.write(block)
