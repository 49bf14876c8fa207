"""What the tries of one upload know of each other: by its manifest where it has one, else by what Airflow 3.3 keeps."""

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
    """What was done and what was begun.

    An upload is begun by keeping the object name that the lake chose for it: a retry asks the lake which of these
    objects are data, and so finds even what was registered in the moment when the process was killed.

    :param paths: of all files.
    :param what: all else that says what is uploaded, as JSON.
    """

    def __init__(self, context: "Context", manifest: Manifest | None, paths: Sequence[str], *what: Any) -> None:
        self._context = context
        self._manifest = manifest
        if manifest is None:
            self.progress = UploadProgress.resume(context, paths, *what)
            found = load_record(context, _KEY) or {}
            # What another upload, or one before the task was cleared, had begun is no concern of this one.
            is_ours = found.get("fingerprint") == self.progress.fingerprint and not is_first_try(context)
            self._names: dict[str, str] = found["names"] if is_ours else {}
        else:
            self.progress = _progress_from(manifest, paths)
            self._names = manifest.started()

    def reserved_name(self, path: str) -> str | None:
        """Return the object name under which an earlier try has begun to upload a file; None: it has not."""
        return self._names.get(_path_key(path))

    def save_names(self, names: Mapping[str, str]) -> None:
        """Keep the object names under which files are about to be uploaded.

        :param names: path to object name.
        """
        self._names |= {_path_key(path): name for path, name in names.items()}
        if self._manifest is not None:
            self._manifest.mark_started(self._names)
        else:
            self._trim()
            save_record(self._context, _KEY, {"fingerprint": self.progress.fingerprint, "names": self._names})

    def save_results(self, results: Mapping[int, Result]) -> None:
        """Keep what became of some files.

        :param results: by the indexes of the files.
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
        """Whether a retry will know what was begun."""
        return self._manifest is not None or has_state_store(self._context)

    def _trim(self) -> None:
        """Forget the oldest names beyond what fits; such are only of files that failed."""
        size = len(json.dumps(self._names))
        while size > MAX_NAMES_BYTES:
            oldest = next(iter(self._names))
            size -= len(oldest) + len(json.dumps(self._names.pop(oldest)))


def _progress_from(manifest: Manifest, paths: Sequence[str]) -> UploadProgress:
    """Return the progress that the results of earlier tries tell."""
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
