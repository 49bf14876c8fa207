"""Add projections to data of the lake: masks, depth maps, other views."""

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_lake.arguments import (
    as_json,
    check_constants,
    read_flag,
    read_mapping,
    read_optional_count,
    read_path,
    read_required_text,
)
from airflow_provider_lake.exceptions import LakeArgumentError, LakeUploadError, permanent_errors
from airflow_provider_lake.files.source_files import SourceFile
from airflow_provider_lake.ingest.files import local_copies, source_file
from airflow_provider_lake.operators.base_data import DataSelectingOperator
from airflow_provider_lake.tasks.failures import MAX_SUMMARY_ITEMS, check_failure_count, check_max_failures
from airflow_provider_lake.tasks.summaries import Failure, ProjectionSummary
from airflow_provider_lake.text.argument_text import shorten

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_lake.client import Data, Datalake

PAGE_SIZE = 256


class CreateProjectionOperator(DataSelectingOperator):
    """Upload a file as a projection of each of the selected data.

    The arguments of :class:`DataSelectingOperator` select the data. An existing projection of the same name and
    filename is kept, so that the task can safely be retried.

    Returns ``{"datalake", "projection", "data_count", "created", "kept", "missing", "failed", "failures": [{"path",
    "reason"}], "left_out": {reason: count}, "seconds"}``; ``failures`` holds at most 100, ``missing`` counts data
    without a file, ``left_out`` counts the selected data that the lake has not finished.

    :param projection: name of the projections, such as ``mask`` (templated).
    :param filepath: the location of each data's file: a path or URL with the placeholders ``{filename}``, ``{stem}``,
        ``{suffix}`` and ``{id}``, such as ``s3://bucket/masks/{stem}.png``; or a mapping of ids or filenames to paths
        or URLs, in which every entry must belong to exactly one of the selected data (templated).
    :param additional_info: additional information to store with each of the projections (templated).
    :param skip_missing: leave out data without a file; otherwise they count as failed.
    :param max_workers: number of concurrent transfers; None: processors plus 4.
    :param max_failures: number of failed data that the task tolerates, or as a float from 0 to 1 their share of all.
    """

    only_done_by_default = True
    template_fields: Sequence[str] = (
        *DataSelectingOperator.template_fields,
        "projection",
        "filepath",
        "additional_info",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"additional_info": "json"}

    def __init__(
        self,
        *,
        projection: str,
        filepath: str | Path | Mapping[str, str | Path],
        additional_info: Mapping[str, Any] | None = None,
        skip_missing: bool = False,
        max_workers: int | None = None,
        max_failures: float = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.projection = projection
        self.filepath = filepath
        self.additional_info = additional_info
        self.skip_missing = read_flag("skip_missing", skip_missing)
        self.max_workers = read_optional_count("max_workers", max_workers)
        self.max_failures = check_max_failures(max_failures)
        check_constants(read_required_text, projection=projection)
        check_constants(_files_of, filepath=filepath)
        check_constants(read_mapping, additional_info=additional_info)

    def execute(self, context: "Context") -> dict[str, Any]:
        """Upload the files, a page of data at a time."""
        from airflow_provider_lake.client.concurrency.cancellation import cancellable_executor
        from airflow_provider_lake.client.transport.paging import chunks

        started = time.monotonic()
        projection = read_required_text("projection", self.projection)
        read_mapping("additional_info", self.additional_info)  # fail on an invalid argument before any work is done
        files = _files_of("filepath", self.filepath)
        counts: Counter[str] = Counter()
        failures: list[Failure] = []
        with permanent_errors():
            datalake = self.get_datalake()
            with cancellable_executor(self.max_workers or (os.cpu_count() or 1) + 4, "lake-projection") as pool:
                for page in chunks(self.select_data(datalake), PAGE_SIZE):
                    for outcome, path in self._create_all(datalake, page, files, pool):
                        _count(counts, failures, outcome, path)
                    self.log.info("%d projections created, %d were there", counts["created"], counts["kept"])
        for key in files.unused():
            _count(counts, failures, "no selected data has this id or filename", key)
        check_failure_count(self.max_failures, counts["failed"], counts.total(), failures, LakeUploadError)
        result: ProjectionSummary = {
            "datalake": datalake.name,
            "projection": projection,
            "data_count": counts.total(),
            "created": counts["created"],
            "kept": counts["kept"],
            "missing": counts["missing"],
            "failed": counts["failed"],
            "failures": failures,
            "left_out": dict(self.left_out),
            "seconds": round(time.monotonic() - started, 3),
        }
        return self.report(result)

    def _create_all(
        self, datalake: "Datalake", page: "Sequence[Data]", files: "_Files", pool: ThreadPoolExecutor
    ) -> Iterator[tuple[str, str]]:
        """Yield the outcome of each data, a word of ``_SUCCESSES`` or the reason of its failure, with its file."""
        found = [(data, files.for_data(data)) for data in page]
        without = "missing" if self.skip_missing else "no file is given for this data"
        yield from ((file or without, data.filename) for data, file in found if not isinstance(file, SourceFile))
        given = [(data, file) for data, file in found if isinstance(file, SourceFile)]
        states = pool.map(lambda pair: self._current_state(*pair), given)
        todo = []
        for (data, file), state in zip(given, states, strict=True):
            if state is None:
                todo.append((data, file))
            else:
                yield state, str(file)
        with local_copies([file for _, file in todo]) as copies:
            outcomes = pool.map(
                lambda data, copy: self._create(datalake, data, copy), [data for data, _ in todo], copies
            )
            yield from ((outcome, str(file)) for outcome, (_, file) in zip(outcomes, todo, strict=True))

    def _current_state(self, data: "Data", file: SourceFile) -> str | None:
        """Return the outcome of a data that needs no upload or fails; None: its file is to be uploaded."""
        present = {(each.name, each.filename) for each in data.list_projections()}
        if (read_required_text("projection", self.projection), file.name) in present:
            return "kept"
        try:
            if file.exists():
                return None
        except OSError as error:
            return f"cannot be looked for: {error.strerror or error}"
        return "missing" if self.skip_missing else f"no such file, for data {data.filename}"

    def _create(self, datalake: "Datalake", data: "Data", copy: Path | Exception) -> str:
        from airflow_provider_lake.client import UploadError

        if isinstance(copy, Exception):
            return f"cannot be downloaded: {copy}"
        try:
            datalake.create_projection(
                data,
                read_required_text("projection", self.projection),
                copy,
                read_mapping("additional_info", self.additional_info),
            )
        except UploadError as error:
            return error.message
        return "created"


_SUCCESSES = ("created", "kept", "missing")


def _count(counts: Counter[str], failures: list[Failure], outcome: str, path: str) -> None:
    """Count an outcome; all but those in ``_SUCCESSES`` count as failed."""
    counts[outcome if outcome in _SUCCESSES else "failed"] += 1
    if outcome not in _SUCCESSES and len(failures) < MAX_SUMMARY_ITEMS:
        failures.append({"path": path, "reason": outcome})


class _Files:
    """The location of each data's file, given by a pattern."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    def for_data(self, data: "Data") -> SourceFile | str | None:
        """Return the file of a data, or an error message; None: no file is given for this data."""
        name = PurePosixPath(data.filename)
        values = {"filename": name.name, "stem": name.stem, "suffix": name.suffix, "id": str(data.id)}
        return source_file(self._pattern.format_map(values))

    def unused(self) -> Sequence[str]:
        """Return the entries that belong to none of the data."""
        return ()


class _NamedFiles(_Files):
    """The location of each data's file, given by a mapping."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files
        self._used: set[str] = set()

    def for_data(self, data: "Data") -> SourceFile | str | None:
        """Return the file of a data, or an error message; None: no file is given for this data."""
        key = str(data.id) if str(data.id) in self._files else data.filename
        if key not in self._files:
            return None
        if key in self._used:
            return f"several of the selected data are named {key!r}: give their files by id"
        self._used.add(key)
        return source_file(self._files[key])

    def unused(self) -> Sequence[str]:
        """Return the entries that belong to none of the data."""
        return sorted(self._files.keys() - self._used)


def _files_of(argument: str, filepath: Any) -> _Files:
    """Return an object that locates the file of each data.

    :raises LakeArgumentError: it is neither a path nor a mapping to paths, or a pattern with unknown placeholders.
    """
    if isinstance(filepath, Mapping):
        paths = {key: read_path(argument, path) for key, path in as_json(argument, filepath).items()}
        return _NamedFiles({key: path for key, path in paths.items() if path is not None})
    pattern = read_path(argument, filepath)
    if pattern is None:
        raise LakeArgumentError(f"{argument} is None: give where the file of a data is")
    try:
        pattern.format(filename="", stem="", suffix="", id="")
    except (LookupError, ValueError, AttributeError, TypeError) as error:
        raise LakeArgumentError(
            f"{argument} {shorten(pattern)} cannot be filled in with filename, stem, suffix and id: {error}"
        ) from None
    return _Files(pattern)
