"""From the ``filepaths`` of a task to files: files, folders, glob patterns and object storage URLs."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from airflow_provider_lake.arguments import read_count, read_flag, read_optional_count, read_paths
from airflow_provider_lake.files.locations import is_remote, local_path, remote, text_of, to_storable
from airflow_provider_lake.files.search import FileSearch
from airflow_provider_lake.files.source_files import SourceFile
from airflow_provider_lake.text.printable import one_line, to_printable

MAX_DOWNLOADS = 8

logger = logging.getLogger(__name__)


def search_files(filepaths: Any) -> FileSearch:
    """Look for the files that are meant, in the order given, each once; log what is left out.

    A folder means the images and videos anywhere below it, hidden ones left out; a pattern or a name means just what it
    says, whatever its type. Links are followed.

    :param filepaths: paths, folders, glob patterns (``**`` crosses folders), or URLs such as ``s3://bucket/folder``,
        ``gs://…`` and ``file://…``, with ``conn_id@`` before the bucket where it needs a connection. What is there
        under a name as it is written is meant first: brackets and the like make a pattern only where nothing is.
    :return: what was found, and what was not: a file that is named and missing, or a folder that cannot be read, is
        among the files, with its error.
    :raises LakeArgumentError: there is no path in it, or an empty one.
    """
    search = FileSearch()
    search.add_entries(read_paths("filepaths", filepaths))
    search.left_out.log()
    return search


def find_files(filepaths: Any) -> list[SourceFile]:
    """Find the files that are meant, as :func:`search_files` does.

    :raises FileNotFoundError: one of them names or matches no file; it says which, and what was left out.
    :raises PermissionError: a folder cannot be read.
    """
    search = search_files(filepaths)
    search.check_missing()
    for file in search.files:
        if file.error is not None:
            raise PermissionError(f"{to_printable(file.path)}: {file.error}")
    return search.files


def chunk_files(
    filepaths: Any,
    *,
    chunk_size: int = 1000,
    max_bytes: int | None = None,
    missing_ok: bool = False,
) -> list[list[str]]:
    """Find the files that are meant, and split them into chunks for mapped uploads: ``.expand(filepaths=chunks)``.

    What is left out is logged. A folder that cannot be read is in a chunk itself: the upload names it, and counts it.

    :param filepaths: as :func:`search_files` takes them.
    :param chunk_size: at most so many files in a chunk.
    :param max_bytes: at most so many bytes in a chunk, unless one file alone has more; None: any number.
    :param missing_ok: pass over what has no file, which is logged; no chunk is returned where there is none at all, so
        that Airflow skips the mapped task.
    :raises FileNotFoundError: one of ``filepaths`` names or matches no file, and ``missing_ok`` is not set.
    :raises LakeArgumentError: a limit below 1, or an argument that is none; a ``ValueError``.
    """
    chunk_size = read_count("chunk_size", chunk_size, 1)
    max_bytes = read_optional_count("max_bytes", max_bytes, 1)
    search = search_files(list(filepaths) if isinstance(filepaths, Iterator) else filepaths)
    if not read_flag("missing_ok", missing_ok):
        search.check_missing()
    for missing in search.missing:
        logger.warning("no file at %s: %s", one_line(missing.path), missing.error)
    chunks: list[list[str]] = []
    size = 0
    for file in search.files:
        if file.is_missing:
            continue
        file_size = 0 if max_bytes is None else file.current_size()
        is_full = (
            not chunks or len(chunks[-1]) >= chunk_size or (max_bytes is not None and size + file_size > max_bytes)
        )
        if is_full:
            chunks.append([])
            size = 0
        chunks[-1].append(to_storable(file.path))
        size += file_size
    return chunks


def source_file(location: str | Path) -> SourceFile:
    """Return the one file at a path or a URL, whether it is there or not."""
    text = text_of(location, "filepath")
    if not is_remote(text):
        return SourceFile(local_path(text))
    place = remote(text)
    return SourceFile(place.url, fs=place.fs, key=place.path)


@contextmanager
def local_copies(files: Sequence[SourceFile]) -> Iterator[list[Path | Exception]]:
    """Give the local path of each file while the block runs, or why there is none.

    Remote files are downloaded into a temporary folder. Every copy keeps its file's name, and lies in a folder of its
    own, for names may repeat.
    """
    from airflow_provider_lake.client.concurrency.cancellation import cancellable_executor

    with TemporaryDirectory(prefix="lake-") as folder, cancellable_executor(MAX_DOWNLOADS, "lake-copy") as pool:

        def fetch(number: int, file: SourceFile) -> Path | Exception:
            if file.is_local:
                return Path(file.path)
            path = Path(folder, str(number), file.name)
            path.parent.mkdir()
            try:
                file.download(path)
            except Exception as error:  # noqa: BLE001 - every storage has errors of its own; the user is told of each
                return error
            return path

        yield list(pool.map(fetch, range(len(files)), files))
