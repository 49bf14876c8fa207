"""Object storages, read by listings of their fsspec file systems: one request for many objects instead of one each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_lake.files.left_out import FOLDER_MARKER, HIDDEN_FILE, HIDDEN_FOLDER, LeftOut
from airflow_provider_lake.files.trees import Kind, Node


@dataclass(frozen=True, slots=True)
class RemoteTree:
    """Objects of a storage. Keys are plain names without special characters, except that slashes separate folders.

    :param fs: the fsspec file system.
    :param left_out: counts what is left out.
    """

    fs: Any
    left_out: LeftOut

    def find(self, path: str, *, as_folder: bool = False) -> Node | None:
        """Return the object with a key, or the folder with that prefix; None: there is neither.

        An empty object is a folder marker if there are other objects below its key.

        :param as_folder: return the folder if there are both.
        """
        try:
            node = _node(self.fs.info(path))
        except FileNotFoundError:
            return None
        is_marker = node.kind is Kind.FILE and (as_folder or node.size == 0) and self._has_children(path)
        return Node(path, Kind.FOLDER if is_marker else node.kind, path, node.size, node.etag)

    def is_folder(self, path: str) -> bool:
        """Return True: if there is nothing below a path, its listing is empty."""
        return True

    def children(self, folder: str) -> Iterator[Node]:
        """Yield the objects and folders directly below a folder."""
        try:
            listing = self.fs.ls(folder, detail=True)
        except FileNotFoundError:
            return
        for info in listing:
            node = _node(info)
            if node.path.rstrip("/") != folder.rstrip("/"):
                yield node

    def walk(self, folder: str, *, hidden: bool) -> Iterator[Node]:
        """Yield all objects below a folder."""
        try:
            found = self.fs.find(folder, detail=True)
        except FileNotFoundError:
            return
        for info in found.values():
            node = _node(info)
            # Some tools create a folder as an object whose key ends with a slash.
            if node.path.endswith("/") or node.kind is Kind.FOLDER or node.path == folder:
                self.left_out.add(FOLDER_MARKER, node.path)
            elif hidden or not self._is_hidden(node.path, folder):
                yield node

    def child(self, folder: str, name: str) -> str:
        """Return the key of a name in a folder."""
        return f"{folder.rstrip('/')}/{name}"

    def relative(self, path: str, folder: str) -> str:
        """Return a key relative to a folder above it."""
        return path.removeprefix(folder.rstrip("/")).removeprefix("/")

    def _has_children(self, path: str) -> bool:
        return any(True for _ in self.children(path))

    def _is_hidden(self, path: str, folder: str) -> bool:
        parts = self.relative(path, folder).split("/")
        first = next((number for number, part in enumerate(parts) if part.startswith(".")), None)
        if first is None:
            return False
        reason = HIDDEN_FILE if first == len(parts) - 1 else HIDDEN_FOLDER
        self.left_out.add(reason, self.child(folder, "/".join(parts[: first + 1])))
        return True


def _node(info: Mapping[str, Any]) -> Node:
    path = str(info["name"])
    kind = Kind.FOLDER if info["type"] == "directory" else Kind.FILE
    size, etag = info.get("size"), info.get("ETag") or info.get("etag")
    return Node(path, kind, path, None if size is None else int(size), None if etag is None else str(etag).strip('"'))
