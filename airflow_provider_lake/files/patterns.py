"""Glob patterns for local folders and object storages.

``*``, ``?`` and ``[…]`` match parts of one name, ``**`` matches any number of folders. An existing name that equals the
pattern literally takes precedence over its matches. Hidden names match only a pattern that starts with a dot.
"""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from glob import has_magic

from airflow_provider_lake.files.left_out import FOLDER, HIDDEN_FILE, HIDDEN_FOLDER, LeftOut
from airflow_provider_lake.files.trees import Kind, Node, Tree

ANY_FOLDERS = "**"


def split_pattern(path: str) -> tuple[str, list[str]]:
    """Split a path before the first segment that is a pattern.

    :return: the folder, and the segments after it; these are empty if the path has no pattern.
    """
    segments = path.split("/")
    plain = next((number for number, segment in enumerate(segments) if has_magic(segment)), len(segments))
    # A key may have empty segments, but a folder listing does not show them.
    while 1 < plain < len(segments) and not segments[plain - 1]:
        plain -= 1
    return "/".join(segments[:plain]), segments[plain:]


def match_files(tree: Tree, folder: str, segments: Sequence[str], left_out: LeftOut) -> Iterator[Node]:
    """Yield the files below a folder that match a pattern."""
    head, *rest = segments
    if head in {ANY_FOLDERS, ""}:
        hidden = any(segment.startswith(".") for segment in segments)
        for node in tree.walk(folder, hidden=hidden):
            if _matches_path(tree.relative(node.path, folder).split("/"), segments):
                yield node
        return
    for node in _children(tree, folder, head, left_out):
        if not rest and node.kind is Kind.FILE:
            yield node
        elif not rest:
            left_out.add(FOLDER, node.path)
        elif node.kind is Kind.FOLDER:
            yield from match_files(tree, node.path.rstrip("/"), rest, left_out)


def _children(tree: Tree, folder: str, segment: str, left_out: LeftOut) -> list[Node]:
    """Return the nodes in a folder whose name equals or matches a segment."""
    if not has_magic(segment):
        found = tree.find(tree.child(folder, segment))
        return [] if found is None else [found]
    named = {node.path.rstrip("/").rpartition("/")[2]: node for node in tree.children(folder)}
    if segment in named:
        return [named[segment]]
    matches = []
    for name, node in sorted(named.items()):
        if _matches(name, segment):
            matches.append(node)
        elif fnmatchcase(name, segment):
            left_out.add(HIDDEN_FILE if node.kind is Kind.FILE else HIDDEN_FOLDER, node.path)
    return matches


def _matches_path(names: Sequence[str], segments: Sequence[str]) -> bool:
    if not segments:
        return not names
    head, *rest = segments
    if head != ANY_FOLDERS:
        return bool(names) and (names[0] == head or _matches(names[0], head)) and _matches_path(names[1:], rest)
    if not rest:
        return not any(name.startswith(".") for name in names)
    for number, name in enumerate(names):
        if _matches_path(names[number:], rest):
            return True
        if name.startswith("."):
            return False
    return False


def _matches(name: str, segment: str) -> bool:
    return fnmatchcase(name, segment) and (segment.startswith(".") or not name.startswith("."))
