"""Cursors of pages and ranges of downloads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lake.server.errors import BadRequestError
from airflow_provider_lake.server.http.routes.cursors import decode_cursor, encode_cursor
from airflow_provider_lake.server.http.routes.ranges import RangeError, read_range

SIZE = 100


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_a_cursor_points_where_it_was_made_for(position: int) -> None:
    """Any position that a database can have."""
    assert decode_cursor(encode_cursor(position)) == position


@given(st.text())
def test_what_is_no_cursor_is_refused(text: str) -> None:
    """Never an error of another kind, and never a position that no database has."""
    try:
        position = decode_cursor(text)
    except BadRequestError:
        return
    assert 0 <= position < 2**63


def test_without_a_cursor_a_page_is_the_first() -> None:
    """All positions come behind."""
    assert decode_cursor(None) == 0


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", (0, 0)),
        ("bytes=10-19", (10, 19)),
        ("bytes=90-", (90, 99)),
        ("bytes=90-500", (90, 99)),
        ("bytes=-1", (99, 99)),
        ("bytes=-500", (0, 99)),
        (None, None),
        ("", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("bytes= 0-1", None),
        ("items=0-1", None),
        (f"bytes={'9' * 5000}-", None),
    ],
)
def test_a_range_is_read(header: str | None, expected: tuple[int, int] | None) -> None:
    """First and last byte; what is no single range means the whole object."""
    assert read_range(header, SIZE) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=20-10", "bytes=-0"])
def test_a_range_outside_of_the_object_is_refused(header: str) -> None:
    """No byte of it is there."""
    with pytest.raises(RangeError):
        read_range(header, SIZE)


@given(st.integers(min_value=0), st.from_regex(r"bytes=[0-9]{0,25}-[0-9]{0,25}", fullmatch=True))
def test_a_range_lies_within_the_object(size: int, header: str) -> None:
    """Whatever is asked for."""
    try:
        found = read_range(header, size)
    except RangeError:
        return
    assert found is None or 0 <= found[0] <= found[1] < size
