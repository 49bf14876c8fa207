"""What files are found in: folders of this machine and object storages, which say alike what they hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Kind(Enum):
    """What something in a tree is."""

    FILE = "file"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class Node:
    """A file or a folder.

    :param path: in its tree.
    :param identity: the same for all its names.
    :param size: in bytes, where the tree tells it unasked.
    :param etag: of an object, likewise.
    :param is_link: whether it has another name, which is more its own.
    """

    path: str
    kind: Kind
    identity: str
    size: int | None = None
    etag: str | None = None
    is_link: bool = False


class Tree(Protocol):
    """Folders and files.

    What cannot be taken, trees leave out, each by itself: dangling links, what is no regular file, folders that they
    may not read.
    """

    def find(self, path: str) -> Node | None:
        """Return what is at a path; None: nothing.

        :raises OSError: nobody can say.
        """

    def is_folder(self, path: str) -> bool:
        """Whether something can be below a path."""

    def children(self, folder: str) -> Iterator[Node]:
        """Yield what is directly in a folder, hidden things too."""

    def walk(self, folder: str, *, hidden: bool) -> Iterator[Node]:
        """Yield all files below a folder, however deep.

        :param hidden: also those that are hidden, or in hidden folders, whose names begin with a dot; otherwise they
            are left out.
        """

    def child(self, folder: str, name: str) -> str:
        """Return the path of something in a folder."""

    def relative(self, path: str, folder: str) -> str:
        """Return a path as seen from a folder above it."""
