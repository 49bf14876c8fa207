"""Searches for files by paths, folders, patterns and URLs, and collects what is found, left out or missing."""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from airflow_provider_lake.files.left_out import DUPLICATE_LINK, UNREADABLE_FOLDER, LeftOut
from airflow_provider_lake.files.local_tree import LocalTree
from airflow_provider_lake.files.locations import Remote, is_remote, local_path, remote
from airflow_provider_lake.files.patterns import match_files, split_pattern
from airflow_provider_lake.files.remote_tree import RemoteTree
from airflow_provider_lake.files.source_files import SourceFile
from airflow_provider_lake.files.trees import Kind, Node, Tree
from airflow_provider_lake.media.kinds import kind_of
from airflow_provider_lake.text.printable import to_printable

MAX_CONCURRENT_LOOKUPS = 16


class FileSearch:
    """A search for files.

    :ivar left_out: counts what was found but left out.
    :ivar empty: searched folders, patterns and paths without any file, each with its error.
    """

    def __init__(self) -> None:
        self.left_out = LeftOut()
        self.empty: list[SourceFile] = []
        self._files: dict[str, SourceFile] = {}
        self._unreadable: list[SourceFile] = []

    @property
    def files(self) -> list[SourceFile]:
        """The files, in the order in which they were found, each once.

        They include those that cannot be read, with their error: named files that are missing, and unreadable folders.
        """
        return list(self._files.values())

    @property
    def missing(self) -> list[SourceFile]:
        """All entries without a file, each with its error."""
        return [*(file for file in self._files.values() if file.is_missing), *self.empty]

    def add_entries(self, entries: Sequence[str]) -> None:
        """Search for the files of paths, folders, patterns and URLs, in their order."""
        locations = {entry: remote(entry) for entry in entries if is_remote(entry)}
        for fs in {id(location.fs): location.fs for location in locations.values()}.values():
            # Find also what other tasks have stored in the meantime.
            fs.invalidate_cache()
        # A chunk may name thousands of objects, each of which takes one request.
        with ThreadPoolExecutor(MAX_CONCURRENT_LOOKUPS, "lake-lookup") as pool:
            lookups = {entry: pool.submit(self._find_remote, entry, location) for entry, location in locations.items()}
            try:
                for entry in entries:
                    if entry in locations:
                        self._search_remote(entry, locations[entry], lookups[entry])
                    else:
                        self._search_local(local_path(entry))
                    for folder in self._unreadable:
                        self._files.setdefault(folder.path, folder)
                    self._unreadable = []
            finally:
                pool.shutdown(cancel_futures=True)

    def check_missing(self) -> None:
        """Check that every entry has files.

        :raises FileNotFoundError: an entry has none; the message names it, and what was left out.
        """
        if self.missing or not self._files:
            raise FileNotFoundError(self.describe(self.missing))

    def describe(self, missing: Sequence[SourceFile]) -> str:
        """Return one sentence about the entries without files, and what was left out."""
        named = "; ".join(f"no file at {to_printable(file.path)!r}: {file.error}" for file in missing)
        return "; ".join(filter(None, [named or "no files given", str(self.left_out) if self.left_out else ""]))

    def _search_local(self, path: str) -> None:
        tree = LocalTree(self.left_out, self._add_unreadable)
        try:
            node = tree.find(path)
            found = self._files_at(tree, path, node)
        except (OSError, ValueError) as error:  # ValueError: a name that no file can have
            self._unreadable.append(SourceFile(path, error=f"cannot be read: {_reason(error)}"))
            return
        for each in found:
            self._add(each.identity, SourceFile(each.path))
        if not found and not self._unreadable:
            self._add_missing(path, path, node)

    def _find_remote(self, url: str, location: Remote) -> Node | None:
        return RemoteTree(location.fs, self.left_out).find(location.path, as_folder=url.endswith("/"))

    def _search_remote(self, url: str, location: Remote, lookup: "Future[Node | None]") -> None:
        try:
            node = lookup.result()
            found = self._files_at(RemoteTree(location.fs, self.left_out), location.path, node)
        except PermissionError as error:
            # A key or folder without read permission fails alone; a storage that does not respond fails the task.
            self._unreadable.append(SourceFile(location.url, error=f"cannot be read: {_reason(error)}"))
            return
        except Exception as error:
            error.add_note(f"while looking for {url}")
            raise
        for each in found:
            file = SourceFile(location.url_of(each.path), each.size, each.etag, fs=location.fs, key=each.path)
            self._add(file.path, file)
        if not found:
            self._add_missing(location.url, location.path, node)

    def _files_at(self, tree: Tree, path: str, node: Node | None) -> list[Node]:
        """Return the files of a path and its node, sorted by name."""
        if node is None:
            return self._match_pattern(tree, path)
        if node.kind is Kind.FILE:
            return [node]
        selected = []
        for each in tree.walk(node.path, hidden=False):
            if is_image_or_video(each.path):
                selected.append(each)
            else:
                self.left_out.add_kind(each.path)
        return self._sorted(selected)

    def _match_pattern(self, tree: Tree, path: str) -> list[Node]:
        folder, segments = split_pattern(path)
        if not segments:
            return []
        base = folder or ("/" if path.startswith("/") else ".")
        return self._sorted(match_files(tree, base, segments, self.left_out)) if tree.is_folder(base) else []

    def _sorted(self, nodes: Iterable[Node]) -> list[Node]:
        """Return files sorted by name, each once: under its own path if possible, rather than under a link's."""
        once: dict[str, Node] = {}
        for node in sorted(nodes, key=lambda node: node.is_link):
            if once.setdefault(node.identity, node).path != node.path:
                self.left_out.add(DUPLICATE_LINK, node.path)
        return sorted(once.values(), key=lambda node: node.path.split("/"))

    def _add(self, identity: str, file: SourceFile) -> None:
        if self._files.setdefault(identity, file).path != file.path:
            self.left_out.add(DUPLICATE_LINK, file.path)

    def _add_missing(self, path: str, key: str, node: Node | None) -> None:
        """Record an entry without files: a named file is missing, anything else is empty."""
        if node is not None:
            self.empty.append(SourceFile(path, error="no image or video is in this folder"))
        elif split_pattern(key)[1]:
            self.empty.append(SourceFile(path, error="nothing matches this pattern"))
        elif is_image_or_video(key):
            self._files.setdefault(path, SourceFile(path, error="there is no such file", is_missing=True))
        else:
            self.empty.append(SourceFile(path, error="there is no such file or folder"))

    def _add_unreadable(self, folder: str, error: OSError) -> None:
        self.left_out.add(UNREADABLE_FOLDER, folder)
        self._unreadable.append(SourceFile(folder, error=f"cannot be read: {_reason(error)}"))


def is_image_or_video(path: str) -> bool:
    """Whether a filename has the suffix of an image or a video that can be uploaded."""
    return kind_of(path) is not None


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
