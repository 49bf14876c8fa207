"""What is said about all files of an upload, and what about each."""

import pytest

from airflow_provider_lake.client import UsageError
from airflow_provider_lake.client.uploads import plan_files

PATHS = ["a.webm", "b.webm"]


@pytest.mark.parametrize("kind", [list, tuple])
def test_sizes_are_one_for_each_file_in_any_sequence(kind: type[list[tuple[int, int]]]) -> None:
    """A tuple of sizes is no size."""
    sizes = kind([(1, 2), (3, 4)])

    assert [file.size for file in plan_files(PATHS, None, None, sizes)] == [(1, 2), (3, 4)]
    with pytest.raises(UsageError, match="sizes is given for 1 files, but there are 2"):
        plan_files(PATHS, None, None, kind([(1, 2)]))


def test_one_size_is_that_of_all_files() -> None:
    """Width and height."""
    assert [file.size for file in plan_files(PATHS, None, None, (1, 2))] == [(1, 2), (1, 2)]
