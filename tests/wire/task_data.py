"""Data for the tests of tasks that work on data."""

from pathlib import Path
from typing import Any

from airflow_provider_lake.operators.upload import UploadDataOperator


def upload(paths: list[Path], **options: Any) -> dict[str, Any]:
    """Upload files by a task, and return its summary."""
    operator = UploadDataOperator(task_id="upload", filepaths=[str(path) for path in paths], **options)
    summary: dict[str, Any] = operator.execute({})
    return summary
