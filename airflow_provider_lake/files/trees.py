"""The common interface of the places where files are searched: local folders and object storages."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Kind(Enum):
    """The kind of a node."""

    FILE = "file"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class Node:
    """A file or a folder.

    :param path: its path in the tree.
    :param identity: the same for all its names.
    :param size: in bytes, if the tree reports it without a further request.
    :param etag: of an object, likewise.
    :param is_link: whether it was reached by a link, so that it also has a path of its own.
    """

    path: str
    kind: Kind
    identity: str
    size: int | None = None
    etag: str | None = None
    is_link: bool = False


class Tree(Protocol):
    """Folders and files.

    Each tree leaves out what cannot be read: dangling links, files that are not regular files, folders without read
    permission.
    """

    def find(self, path: str) -> Node | None:
        """Return the node at a path; None: there is nothing.

        :raises OSError: the path cannot be read.
        """

    def is_folder(self, path: str) -> bool:
        """Whether there may be files below a path."""

    def children(self, folder: str) -> Iterator[Node]:
        """Yield the files and folders directly in a folder, including hidden ones."""

    def walk(self, folder: str, *, hidden: bool) -> Iterator[Node]:
        """Yield all files below a folder, at any depth.

        :param hidden: include files and folders whose names begin with a dot; otherwise they are left out.
        """

    def child(self, folder: str, name: str) -> str:
        """Return the path of a name in a folder."""

    def relative(self, path: str, folder: str) -> str:
        """Return a path relative to a folder above it."""
