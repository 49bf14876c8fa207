"""The results of an upload, one for each file, as JSON lines in a folder or an object storage.

Object storages cannot append. The results of each chunk are therefore stored as a part, an object of its own beside the
manifest, and joined at the end. The parts also show a retry what earlier tries have done, in every version of Airflow.
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

# The maximum length of a name in common file systems.
MAX_NAME_BYTES = 255


class Manifest:
    """The manifest of one task, and the parts with results that will be joined into it.

    Every result carries the task's ``batch``, which distinguishes it from results of other runs at the same location.

    :param url: its path or URL; a mapped task adds its map index before the suffix.
    :param what: all values that define the upload, as JSON: after the DAG was corrected, a retry does not count files
        as done that were uploaded with other values.
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
        """Yield the results of earlier tries of this task, one for each file: the decisive one."""
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
        """Store the object names of the uploads that are about to start, replacing those stored before."""
        with self._started_file.writing() as path:
            path.write_text(json.dumps(names), encoding="utf-8")

    def started(self) -> dict[str, str]:
        """Return the object names of the uploads that were started when an earlier try ended."""
        if self._started_file.size() is None:
            return {}
        with self._started_file.reading() as file:
            names: dict[str, str] = json.load(file)
        return names

    def finish(self, paths: Collection[str] | None = None) -> None:
        """Join the results; the manifest appears complete, and replaces an existing one.

        :param paths: all paths that the task has now: earlier failures of other paths, such as a folder that could not
            be read then, are left out. None: no failures are left out.
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
        """Delete the names of started uploads, so that only the manifest is left, if no other try follows."""
        self._started_file.delete()
        self._parts.delete_if_empty()

    def _all_results(self) -> Iterator[Result]:
        """Yield this task's results from the manifest and from its parts; a file may occur several times."""
        sources = [self._parts.child(name) for name in self._own_parts()]
        if self._target.size() is not None:
            sources.insert(0, self._target)
        for source in sources:
            results = read_manifest(source.url)
            yield from (result for result in results if result.get("batch") == self.batch)

    def _own_parts(self) -> list[str]:
        return [name for name in self._parts.list_names() if name.startswith(f"{self.batch}-")]


def _final_results(results: Iterable[Result]) -> Iterator[Result]:
    """Yield one result for each file: the first one that is done, else the last."""
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
    """Return a URL with a suffix after its name, which is shortened to a length that file systems accept."""
    folder, slash, name = url.rpartition("/")
    whole = (name + suffix).encode("utf-8", "surrogatepass")
    if len(whole) > MAX_NAME_BYTES:
        digest = f"-{hashlib.sha256(whole).hexdigest()[:12]}"
        room = MAX_NAME_BYTES - len(digest) - len(suffix)
        name = whole[:room].decode("utf-8", "ignore") + digest
    return f"{folder}{slash}{name}{suffix}"


def _numbered_url(url: str, number: int) -> str:
    """Insert a number before the suffix of a URL."""
    folder, slash, name = url.rpartition("/")
    path = PurePosixPath(name)
    return _sibling_url(f"{folder}{slash}{path.stem}", f".{number}{path.suffix}")
