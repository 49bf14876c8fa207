"""How many files may fail."""

from typing import Any

import pytest

from airflow_provider_lake.tasks.failures import check_failure_count, check_max_failures


@pytest.mark.parametrize(
    ("max_failures", "failed", "count", "is_fine"),
    [
        (0, 0, 10, True),
        (0, 1, 10, False),
        (2, 2, 10, True),
        (2, 3, 10, False),
        (1, 1, 1, True),
        (0.0, 0, 10, True),
        (0.0, 1, 10, False),
        (0.2, 2, 10, True),
        (0.2, 3, 10, False),
        (0.01, 0, 10, True),
        (0.01, 1, 10, False),
        (1.0, 10, 10, True),
        (0, 0, 0, True),
        (0.5, 0, 0, True),
    ],
)
def test_a_number_and_a_share_are_limits(max_failures: float, failed: int, count: int, is_fine: bool) -> None:
    """An int is a number, a float a share: 1 is one file, 1.0 all of them."""
    failures = [{"path": "a.jpg", "reason": "it is broken"}]

    if is_fine:
        check_failure_count(check_max_failures(max_failures), failed, count, failures, RuntimeError)
    else:
        with pytest.raises(RuntimeError, match=rf"{failed} of {count} files failed(?s:.)*a\.jpg: it is broken"):
            check_failure_count(check_max_failures(max_failures), failed, count, failures, RuntimeError)


@pytest.mark.parametrize("max_failures", [-1, 1.5, -0.1, float("nan"), True, "1%", None])
def test_anything_else_is_refused(max_failures: Any) -> None:
    """A share above one, a negative number, and what is no number."""
    with pytest.raises(ValueError, match="max_failures is a number of files"):
        check_max_failures(max_failures)
