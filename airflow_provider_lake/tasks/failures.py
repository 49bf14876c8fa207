"""How many single files of a task may fail before the task does."""

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_lake.arguments import read_limit

# A summary travels through Airflow's database: longer lists are cut, and say so by their counts.
MAX_SUMMARY_ITEMS = 100


def check_max_failures(max_failures: float) -> float:
    """Return what was given as a limit of failures.

    :param max_failures: a number as an int, or a share of all as a float from 0 to 1.
    :raises LakeArgumentError: it is neither.
    """
    return read_limit("max_failures", max_failures)


def check_failure_count(
    max_failures: float,
    failed: int,
    count: int,
    failures: Sequence[Mapping[str, Any]],
    error: type[Exception],
) -> None:
    """Let a task pass of which not too many files failed.

    :param max_failures: as :func:`check_max_failures` returned it.
    :param failed: files that failed.
    :param count: all files.
    :param failures: path and reason of the first of those that failed.
    :param error: what to raise otherwise; its message names them.
    """
    allowed = max_failures * count if isinstance(max_failures, float) else max_failures
    if failed > allowed:
        named = "\n".join(f"{failure['path']}: {failure['reason']}" for failure in failures)
        raise error(f"{failed} of {count} files failed, the first of them:\n{named}")
