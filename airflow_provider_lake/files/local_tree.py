"""The local file system, including symbolic links.

Links to files and to folders are followed. A file with several names is yielded once: under its own path if that is
part of the search, otherwise under the path of the first link. Loops of links therefore end.
"""

import errno
import os
import stat
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from airflow_provider_lake.files.left_out import (
    DANGLING_LINK,
    DUPLICATE_LINK,
    HIDDEN_FILE,
    HIDDEN_FOLDER,
    NOT_REGULAR_FILE,
    LeftOut,
)
from airflow_provider_lake.files.trees import Kind, Node

# Called with the path of a folder that cannot be read, and the error.
OnUnreadable = Callable[[str, OSError], object]


@dataclass(frozen=True, slots=True)
class LocalTree:
    """Local folders and files.

    :param left_out: counts what is left out.
    :param on_unreadable: called for each folder, and for each link, that cannot be read.
    """

    left_out: LeftOut
    on_unreadable: OnUnreadable

    def find(self, path: str) -> Node | None:
        """Return the node at a path, anything but a folder as a file; None: there is nothing, or a dangling link.

        :raises OSError: the path cannot be read.
        """
        try:
            mode = os.stat(path).st_mode  # noqa: PTH116 - a path is text here
        except (FileNotFoundError, NotADirectoryError):
            return None
        return _file_or_folder(path, Kind.FOLDER if stat.S_ISDIR(mode) else Kind.FILE, os.path.realpath(path))

    def is_folder(self, path: str) -> bool:
        """Whether a path is a folder."""
        return os.path.isdir(path)  # noqa: PTH112 - a path is text here

    def children(self, folder: str) -> Iterator[Node]:
        """Yield the files and folders directly in a folder, with links resolved."""
        real = os.path.realpath(folder)
        for entry in self._entries(folder):
            node = self._node(entry, self.child(folder, entry.name), self.child(real, entry.name))
            if node is not None:
                yield node

    def walk(self, folder: str, *, hidden: bool) -> Iterator[Node]:
        """Yield all files below a folder: first those without a link in their path."""
        seen: set[str] = set()
        folders, links = deque([(folder, os.path.realpath(folder))]), deque[Node]()
        while folders or links:
            if not folders:
                link = links.popleft()
                if link.kind is Kind.FILE:
                    yield link
                elif link.identity in seen:
                    self.left_out.add(DUPLICATE_LINK, link.path)
                else:
                    folders.append((link.path, link.identity))
                continue
            path, real = folders.popleft()
            seen.add(real)
            for entry in self._entries(path):
                node = self._visible_node(entry, self.child(path, entry.name), self.child(real, entry.name), hidden)
                if node is None:
                    continue
                if entry.is_symlink():
                    links.append(node)
                elif node.kind is Kind.FOLDER:
                    folders.append((node.path, node.identity))
                else:
                    yield node

    def child(self, folder: str, name: str) -> str:
        """Return the path of a name in a folder."""
        return name if folder == "." else os.path.join(folder, name)  # noqa: PTH118 - a path is text here

    def relative(self, path: str, folder: str) -> str:
        """Return a path relative to a folder above it."""
        return path if folder == "." else path.removeprefix(folder).lstrip("/")

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self.on_unreadable(folder, error)
            return []

    def _visible_node(self, entry: os.DirEntry[str], path: str, real: str, hidden: bool) -> Node | None:
        """Return the node of an entry; None: it is left out."""
        if hidden or not entry.name.startswith("."):
            return self._node(entry, path, real)
        is_folder = entry.is_dir(follow_symlinks=False)
        self.left_out.add(HIDDEN_FOLDER if is_folder else HIDDEN_FILE, path)
        return None

    def _node(self, entry: os.DirEntry[str], path: str, real: str) -> Node | None:
        """Return the node of an entry; None: it is neither a file nor a folder."""
        try:
            is_link = entry.is_symlink()
            if entry.is_dir():
                return _file_or_folder(path, Kind.FOLDER, os.path.realpath(path) if is_link else real)
            if entry.is_file():
                return _file_or_folder(path, Kind.FILE, os.path.realpath(path) if is_link else real)
        except OSError as error:
            if error.errno != errno.ELOOP:  # a link to a path that this user may not read
                self.on_unreadable(path, error)
                return None
        is_dangling = is_link and not os.path.exists(path)  # noqa: PTH110 - a path is text here
        self.left_out.add(DANGLING_LINK if is_dangling else NOT_REGULAR_FILE, path)
        return None


def _file_or_folder(path: str, kind: Kind, real: str) -> Node:
    return Node(path, kind, real, is_link=os.path.abspath(path) != real)  # noqa: PTH100 - a path is text here
