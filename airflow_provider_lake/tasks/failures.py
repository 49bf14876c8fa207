"""How many files of a task may fail before the task itself fails."""

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_lake.arguments import read_limit

# A summary is stored in Airflow's database: longer lists are cut; counts hold the full numbers.
MAX_SUMMARY_ITEMS = 100


def check_max_failures(max_failures: float) -> float:
    """Check and return a limit of failures.

    :param max_failures: a number as an int, or a share of all files as a float from 0 to 1.
    :raises LakeArgumentError: the value is neither.
    """
    return read_limit("max_failures", max_failures)


def check_failure_count(
    max_failures: float,
    failed: int,
    count: int,
    failures: Sequence[Mapping[str, Any]],
    error: type[Exception],
) -> None:
    """Raise an error if too many files of a task failed.

    :param max_failures: limit, as returned by :func:`check_max_failures`.
    :param failed: number of files that failed.
    :param count: number of all files.
    :param failures: path and reason of the first failed files.
    :param error: class of the error to raise; its message names these files.
    """
    allowed = max_failures * count if isinstance(max_failures, float) else max_failures
    if failed > allowed:
        named = "\n".join(f"{failure['path']}: {failure['reason']}" for failure in failures)
        raise error(f"{failed} of {count} files failed, the first of them:\n{named}")
