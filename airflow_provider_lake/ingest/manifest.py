"""What became of each file of an upload, as JSON lines in a folder or an object storage.

Object storages cannot append. So the results of each chunk are an object of their own beside the manifest, and are put
together in the end. From these a retry also knows what earlier tries have done, in every version of Airflow.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from airflow_provider_lake.files.locations import text_of
from airflow_provider_lake.files.manifest import Result, is_done, read_manifest
from airflow_provider_lake.files.targets import Target
from airflow_provider_lake.tasks.fingerprints import fingerprint
from airflow_provider_lake.tasks.resume import first_try_number

if TYPE_CHECKING:
    from airflow.sdk import Context

# File systems take names of so many.
MAX_NAME_BYTES = 255


class Manifest:
    """The manifest of one task, and the results that are on their way into it.

    Every result carries the task's ``batch``, so that what other runs left at the same place is not taken for its own.

    :param url: path or URL of it; a mapped task adds its map index before the suffix.
    :param what: all that says what is uploaded, as JSON: a retry after the DAG was corrected does not count as done
        what was uploaded otherwise.
    """

    def __init__(self, url: str | Path, context: "Context", *what: Any) -> None:
        text_of(url, "manifest")
        instance = context.get("ti")
        map_index = getattr(instance, "map_index", -1)
        self.url = str(url) if map_index is None or map_index < 0 else _numbered_url(str(url), map_index)
        who = [getattr(instance, name, None) for name in ("dag_id", "run_id", "task_id")]
        self.batch = fingerprint(*who, map_index, first_try_number(context), *what)[:12]
        self._target = Target.at(self.url)
        self._parts = Target.at(_sibling_url(self.url, ".parts"))
        self._started_file = self._parts.child(f"started-{self.batch}.json")
        self._next = 0

    def previous_results(self) -> Iterator[Result]:
        """Yield the results of earlier tries of this task, one for each file: the one that counts."""
        return _final_results(self._all_results())

    def add(self, results: Iterable[Result]) -> None:
        """Add results of this try, all or none."""
        lines = [json.dumps({**result, "batch": self.batch}) for result in results]
        if not lines:
            return
        numbers = [int(name.split("-")[1].split(".")[0]) for name in self._own_parts()] if not self._next else []
        self._next = max([self._next, *numbers]) + 1
        with self._parts.child(f"{self.batch}-{self._next:08d}.jsonl").writing() as path:
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def mark_started(self, names: Mapping[str, str]) -> None:
        """Keep what is about to be uploaded under which object names, in the place of what was kept before."""
        with self._started_file.writing() as path:
            path.write_text(json.dumps(names), encoding="utf-8")

    def started(self) -> dict[str, str]:
        """Return what was about to be uploaded when an earlier try ended."""
        if self._started_file.size() is None:
            return {}
        with self._started_file.reading() as file:
            names: dict[str, str] = json.load(file)
        return names

    def finish(self, paths: Collection[str] | None = None) -> None:
        """Put the results together; the manifest appears whole, in the place of one that was there.

        :param paths: of all that the task has now: what failed in an earlier try and is no more, such as a folder that
            could not be read, is left out. None: nothing is.
        """
        is_all_done = True
        with self._target.writing() as path, path.open("w", encoding="utf-8") as file:
            for result in self.previous_results():
                if paths is not None and not is_done(result) and result["path"] not in paths:
                    continue
                file.write(json.dumps(result) + "\n")
                is_all_done = is_all_done and is_done(result)
        for name in self._own_parts():
            self._parts.child(name).delete()
        if is_all_done:
            self.clear_started()

    def clear_started(self) -> None:
        """Forget what was begun and has failed: nothing is left but the manifest. For when no other try follows."""
        self._started_file.delete()
        self._parts.delete_if_empty()

    def _all_results(self) -> Iterator[Result]:
        """Yield what the manifest has of this task, and what its parts have; a file may come several times."""
        sources = [self._parts.child(name) for name in self._own_parts()]
        if self._target.size() is not None:
            sources.insert(0, self._target)
        for source in sources:
            results = read_manifest(source.url)
            yield from (result for result in results if result.get("batch") == self.batch)

    def _own_parts(self) -> list[str]:
        return [name for name in self._parts.list_names() if name.startswith(f"{self.batch}-")]


def _final_results(results: Iterable[Result]) -> Iterator[Result]:
    """Yield one result for each file: the first by which it is done, else the last."""
    done: set[str] = set()
    open_ends: dict[str, Result] = {}
    for result in results:
        if result["path"] in done:
            continue
        if is_done(result):
            done.add(result["path"])
            open_ends.pop(result["path"], None)
            yield result
        else:
            open_ends[result["path"]] = result
    yield from open_ends.values()


def _sibling_url(url: str, suffix: str) -> str:
    """Return a URL with a suffix behind its name, which stays short enough for file systems."""
    folder, slash, name = url.rpartition("/")
    whole = (name + suffix).encode("utf-8", "surrogatepass")
    if len(whole) > MAX_NAME_BYTES:
        digest = f"-{hashlib.sha256(whole).hexdigest()[:12]}"
        room = MAX_NAME_BYTES - len(digest) - len(suffix)
        name = whole[:room].decode("utf-8", "ignore") + digest
    return f"{folder}{slash}{name}{suffix}"


def _numbered_url(url: str, number: int) -> str:
    """Put a number before the suffix of a URL."""
    folder, slash, name = url.rpartition("/")
    path = PurePosixPath(name)
    return _sibling_url(f"{folder}{slash}{path.stem}", f".{number}{path.suffix}")
