"""How OpenLineage knows what an upload reads."""

from pathlib import Path

import pytest

from airflow_provider_lake.tasks.lineage import file_datasets


@pytest.mark.parametrize(
    ("filepaths", "names"),
    [
        ("/data/photos/", [("file", "/data/photos")]),
        (Path("/data/a.jpg"), [("file", "/data/a.jpg")]),
        (["/data/**/*.jpg", "/data", "file:///data"], [("file", "/data")]),
        ("/data/day-?.jpg", [("file", "/data")]),
        ("s3://aws_cameras@dump/day/[ab]*.jpg", [("s3://dump", "day")]),
        ("gs://dump", [("gs://dump", "/")]),
        (None, []),
    ],
)
def test_files_have_openlineages_names(filepaths: str | Path | list[str | Path], names: list[tuple[str, str]]) -> None:
    """Absolute paths of files and folders, buckets without connection, the folder of a pattern, each once."""
    assert file_datasets(filepaths) == names
