"""The lines of a manifest: the result of each file of an upload, as JSON."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from airflow_provider_lake.exceptions import LakePermanentError
from airflow_provider_lake.files.targets import Target

UPLOADED = "uploaded"
SKIPPED = "skipped"
FAILED = "failed"

Result = dict[str, Any]


def read_manifest(url: str) -> Iterator[Result]:
    """Yield the results in a manifest.

    :raises FileNotFoundError: the manifest does not exist.
    :raises LakePermanentError: the file is not a manifest.
    """
    with Target.at(url, "manifest").reading() as lines:
        for line in lines:
            try:
                yield _read(line)
            except (ValueError, KeyError, TypeError):
                raise LakePermanentError(f"{url} is no manifest of an upload: {line[:80]!r}") from None


def _read(line: bytes) -> Result:
    result: Result = json.loads(line)
    if result["status"] not in {UPLOADED, SKIPPED, FAILED} or not isinstance(result["path"], str):
        raise ValueError
    return result


def is_done(result: Mapping[str, Any]) -> bool:
    """Whether the file needs no further try."""
    return bool(result["status"] != FAILED or result["is_final"])
