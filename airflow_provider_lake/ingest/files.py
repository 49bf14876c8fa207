"""Finds the files that the ``filepaths`` of a task name: files, folders, glob patterns and object storage URLs."""

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
    """Search for the files in the order given, each once, and log what is left out.

    A folder means all images and videos anywhere below it, except hidden ones; a pattern or a name means exactly the
    files that it matches, whatever their type. Links are followed.

    :param filepaths: paths, folders, glob patterns (``**`` crosses folders), or URLs such as ``s3://bucket/folder``,
        ``gs://…`` and ``file://…``, with ``conn_id@`` before the bucket if it needs a connection. An existing file or
        folder of exactly the given name takes precedence: only otherwise do brackets and other wildcards make a
        pattern.
    :return: the search, with what was found and what was not: a named file that is missing, or a folder that cannot be
        read, is among the files, with its error.
    :raises LakeArgumentError: there is no path, or an empty one.
    """
    search = FileSearch()
    search.add_entries(read_paths("filepaths", filepaths))
    search.left_out.log()
    return search


def find_files(filepaths: Any) -> list[SourceFile]:
    """Find the files, as :func:`search_files` does.

    :raises FileNotFoundError: an entry names or matches no file; the message names it, and what was left out.
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
    """Find the files, and split them into chunks for mapped uploads: ``.expand(filepaths=chunks)``.

    What is left out is logged. A folder that cannot be read becomes an item of a chunk: the upload counts it as failed.

    :param filepaths: as for :func:`search_files`.
    :param chunk_size: maximum number of files in a chunk.
    :param max_bytes: maximum number of bytes in a chunk, unless a single file has more; None: no limit.
    :param missing_ok: log entries without files instead of raising; if there are no files at all, no chunk is returned,
        so that Airflow skips the mapped task.
    :raises FileNotFoundError: one of ``filepaths`` names or matches no file, and ``missing_ok`` is not set.
    :raises LakeArgumentError: a limit is below 1, or an argument is invalid; a ``ValueError``.
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
    """Return the single file at a path or a URL, whether it exists or not."""
    text = text_of(location, "filepath")
    if not is_remote(text):
        return SourceFile(local_path(text))
    place = remote(text)
    return SourceFile(place.url, fs=place.fs, key=place.path)


@contextmanager
def local_copies(files: Sequence[SourceFile]) -> Iterator[list[Path | Exception]]:
    """Yield the local path of each file, valid within the block, or the error that prevented its download.

    Remote files are downloaded into a temporary folder. Each copy keeps its filename, in a folder of its own, because
    filenames may repeat.
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
            except Exception as error:  # noqa: BLE001 - every storage has its own errors; each is reported to the user
                return error
            return path

        yield list(pool.map(fetch, range(len(files)), files))
