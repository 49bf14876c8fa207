"""Ids of rows."""

import time
from uuid import RFC_4122

from airflow_provider_lake.server.row_ids import new_id


def test_ids_are_of_version_7_and_no_two_are_the_same() -> None:
    """Whoever knows one cannot guess the next."""
    ids = [new_id() for _ in range(10_000)]

    assert {(each.version, each.variant) for each in ids} == {(7, RFC_4122)}
    assert len({each.int & (1 << 62) - 1 for each in ids}) == len(ids)


def test_ids_tell_when_they_were_made_and_rise() -> None:
    """To the millisecond."""
    before = time.time_ns() // 1_000_000
    first = new_id()
    while (after := time.time_ns() // 1_000_000) <= first.int >> 80:
        pass
    second = new_id()

    assert before <= first.int >> 80 < after <= second.int >> 80
    assert str(first) < str(second)
