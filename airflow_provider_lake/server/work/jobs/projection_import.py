"""Imports of projections: makes projections of objects in the bucket."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy.orm import Session

from airflow_provider_lake.media.kinds import content_type_of
from airflow_provider_lake.server.store.queries import imports
from airflow_provider_lake.server.work.jobs.progress import BatchResult, Candidate, Failure
from airflow_provider_lake.server.work.jobs.task import Task

Row = dict[str, Any]


class ProjectionImport:
    """One import of projections.

    The payload is ``{"projections": {object name of a data: [{"name", "object_name"}]}}``; progress counts the data.
    """

    batch_size = 500

    def __init__(self, task: Task) -> None:
        self.found: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self._lake = task.lake
        self._store = task.store
        self._datalake_id = task.job.datalake_id
        self._projections: dict[str, list[dict[str, str]]] = task.job.payload["projections"]

    def candidates(self, after: str | None) -> Iterator[Candidate]:
        """Yield the objects of the data, in the order of their names."""
        yield from (Candidate(name) for name in sorted(self._projections) if after is None or name > after)

    def read(self, candidates: Sequence[Candidate]) -> BatchResult[Row]:
        """Look up the data and their objects."""
        names = [each.object_name for each in candidates]
        with self._lake.database.reading() as session:
            positions = imports.positions(session, self._datalake_id, names)
            known = imports.existing_projections(session, positions.values())
        rows: list[Row] = []
        failures = []
        for name in names:
            if name not in positions:
                failures.append(Failure(name, "there is no such data"))
                continue
            wanted = {item["name"]: item["object_name"] for item in self._projections[name]}
            try:
                new = [self._row(*item) for item in wanted.items() if (positions[name], item[0]) not in known]
            except FileNotFoundError:
                failures.append(Failure(name, "one of its projections' objects does not exist"))
            else:
                rows += [{"data_position": positions[name], **row} for row in new]
        return BatchResult(rows, failures)

    def write(self, session: Session, seen: BatchResult[Row]) -> int:
        """Add the projections that are still missing, and return the number of data that got any."""
        wanted = {row["data_position"] for row in seen.rows}
        there, known = imports.existing_positions(session, wanted), imports.existing_projections(session, wanted)
        rows = [
            row
            for row in seen.rows
            if row["data_position"] in there and (row["data_position"], row["name"]) not in known
        ]
        imports.add_projections(session, rows)
        return len({row["data_position"] for row in rows})

    def _row(self, name: str, object_name: str) -> Row:
        return {
            "name": name,
            "object_name": object_name,
            "filename": PurePosixPath(object_name).name,
            "content_type": content_type_of(object_name),
            "file_size": self._store.stat(object_name).size,
            "is_imported": True,
        }
