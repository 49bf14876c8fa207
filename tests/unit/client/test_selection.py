"""Which data are meant."""

from uuid import uuid4

import pytest

from airflow_provider_lake.client import RetryPolicy, Tag, UsageError
from airflow_provider_lake.client.listing.selection import Selection, make_selection
from airflow_provider_lake.client.transport.session import Session, make_transport

SESSION = Session("http://lake", "token", make_transport(1, verify=True), RetryPolicy())


@pytest.mark.parametrize(
    ("selection", "query"),
    [
        (Selection(), None),
        (Selection(q='filename = "a"'), 'filename = "a"'),
        (Selection(tags=["car"]), 'tags.name in ("car")'),
        (Selection(tags=["car", "van"]), 'tags.name in ("car","van")'),
        (Selection(tags=["car", "van"], intersect_tags=True), 'tags.name = "car" and tags.name = "van"'),
        (Selection(tags=["car"], q='filename = "a"'), 'filename = "a" and tags.name in ("car")'),
        (Selection(tags=["car"], q="a = 1 or b = 2"), '(a = 1 or b = 2) and tags.name in ("car")'),
        (Selection(tags=['say "é"\\']), 'tags.name in ("say \\"é\\"\\\\")'),
    ],
)
def test_tags_go_into_the_query(selection: Selection, query: str | None) -> None:
    """The caller's query comes first, and keeps its meaning."""
    assert selection.query == query


def test_tags_are_given_by_name_or_as_records() -> None:
    """One or several, in both ways."""
    car = Tag(uuid4(), SESSION, "car", "DATA")

    cases: list[tuple[str | Tag | list[str | Tag] | None, list[str]]] = [
        ("van", ["van"]),
        (car, ["car"]),
        ([car, "van"], ["car", "van"]),
        (None, []),
        ([], []),
    ]
    for tags, names in cases:
        assert list(make_selection(None, None, None, tags, None, False, None, None, None, None).tags) == names


def test_contradictions_are_refused() -> None:
    """Two kinds of names, negative numbers and ids that are none."""
    with pytest.raises(UsageError, match="only one of ids and filenames"):
        make_selection(None, None, None, None, ["a.jpg"], False, None, None, [uuid4()], None)
    with pytest.raises(UsageError, match="not negative"):
        make_selection(-1, None, None, None, None, False, None, None, None, None)
    with pytest.raises(UsageError, match="'x' is no id"):
        make_selection(None, None, None, None, None, False, None, None, ["x"], None)


def test_names_are_asked_for_once() -> None:
    """A name given twice is one name; no names at all are not the same as not naming any."""
    assert Selection(filenames=["b", "a", "b"]).name_list == ("filenames", ["b", "a"])
    assert Selection(ids=[]).name_list == ("ids", [])
    assert Selection().name_list is None


def test_a_selection_names_itself() -> None:
    """Only what was given, and long lists cut."""
    assert str(Selection()) == "anything"
    assert str(Selection(tags=["car"], limit=2)) == "tag 'car'"
    assert str(Selection(tags=["car", "van"], q="a = 1")) == "one of the tags 'car', 'van' and query 'a = 1'"
    assert str(Selection(tags=["car", "van"], intersect_tags=True)) == "all of the tags 'car', 'van'"
    assert str(Selection(ids=[], offset=5)) == "ids (none given) after the first 5"
    assert len(str(Selection(ids=[str(uuid4()) for _ in range(1000)]))) < 250
