"""The state that the tries of one upload share: in its manifest if it has one, else in Airflow's state store (3.3)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_lake.files.manifest import Result, is_done
from airflow_provider_lake.ingest.manifest import Manifest
from airflow_provider_lake.ingest.progress import UploadProgress
from airflow_provider_lake.tasks.resume import has_state_store, is_first_try, load_record, save_record

if TYPE_CHECKING:
    from airflow.sdk import Context

# Above 64 KiB under one key, Airflow logs a warning every time.
MAX_NAMES_BYTES = 60_000
_KEY = "lake_upload_started"


class UploadCheckpoint:
    """The uploads of a task that are done, and those that were started.

    An upload starts by storing the object name that the lake reserved for it. A retry queries the lake for data with
    these object names, and so finds even data that were registered just before the process was killed.

    :param paths: the paths of all files.
    :param what: all other values that define the upload, as JSON.
    """

    def __init__(self, context: "Context", manifest: Manifest | None, paths: Sequence[str], *what: Any) -> None:
        self._context = context
        self._manifest = manifest
        if manifest is None:
            self.progress = UploadProgress.resume(context, paths, *what)
            found = load_record(context, _KEY) or {}
            # Ignore names that another upload has stored, or a try before the task was cleared.
            is_ours = found.get("fingerprint") == self.progress.fingerprint and not is_first_try(context)
            self._names: dict[str, str] = found["names"] if is_ours else {}
        else:
            self.progress = _progress_from(manifest, paths)
            self._names = manifest.started()

    def reserved_name(self, path: str) -> str | None:
        """Return the object name with which an earlier try has started to upload a file; None: it has not."""
        return self._names.get(_path_key(path))

    def save_names(self, names: Mapping[str, str]) -> None:
        """Store the object names of the files that are about to be uploaded.

        :param names: path to object name.
        """
        self._names |= {_path_key(path): name for path, name in names.items()}
        if self._manifest is not None:
            self._manifest.mark_started(self._names)
        else:
            self._trim()
            save_record(self._context, _KEY, {"fingerprint": self.progress.fingerprint, "names": self._names})

    def save_results(self, results: Mapping[int, Result]) -> None:
        """Store the results of some files.

        :param results: by file index.
        """
        for index, result in results.items():
            self.progress.add(index, result)
            if is_done(result):
                self._names.pop(_path_key(result["path"]), None)
        if self._manifest is not None:
            self._manifest.add(results.values())
        else:
            self.progress.save(self._context)

    @property
    def survives_retry(self) -> bool:
        """Whether a retry will know which uploads were started."""
        return self._manifest is not None or has_state_store(self._context)

    def _trim(self) -> None:
        """Drop the oldest names beyond the size limit; these all belong to files that failed."""
        size = len(json.dumps(self._names))
        while size > MAX_NAMES_BYTES:
            oldest = next(iter(self._names))
            size -= len(oldest) + len(json.dumps(self._names.pop(oldest)))


def _progress_from(manifest: Manifest, paths: Sequence[str]) -> UploadProgress:
    """Return the progress according to the results of earlier tries."""
    progress, done = UploadProgress(), set()
    for result in manifest.previous_results():
        if is_done(result):
            progress.add(-1, result)
            done.add(result["path"])
    progress.tried = len(paths)
    progress.to_retry = [index for index, path in enumerate(paths) if path not in done]
    return progress


def _path_key(path: str) -> str:
    return hashlib.blake2b(path.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
