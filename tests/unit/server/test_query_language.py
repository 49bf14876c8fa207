"""Queries: what is read, what is refused, and what they mean on a database."""

from uuid import uuid4

import pytest
from sqlalchemy import make_url

from airflow_provider_lake.server.store.queries.selection import Selection, select_data
from airflow_provider_lake.server.store.query_language import InvalidQueryError, compile_filter, parse
from airflow_provider_lake.server.store.query_language.parser import MAX_CONDITIONS, MAX_LENGTH, MAX_NESTING
from airflow_provider_lake.server.store.query_language.tree import And, Comparison, Not, Operator, Or
from airflow_provider_lake.server.store.tables import Data

A = Comparison("filename", Operator.EQUAL, "a")
B = Comparison("meta.width", Operator.GREATER, 1.5)
C = Comparison("tags.name", Operator.NOT_IN, ("x", "y"))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('filename = "a"', A),
        ('filename="a"', A),
        ('filename = "a" and meta.width > 1.5', And((A, B))),
        ('filename = "a" or meta.width > 1.5 and tags.name not in ("x","y")', Or((A, And((B, C))))),
        ('(filename = "a" or meta.width > 1.5) and tags.name not in ("x", "y")', And((Or((A, B)), C))),
        ('not filename = "a" or meta.width > 1.5', Or((Not(A), B))),
        ('not (filename = "a" or meta.width > 1.5)', Not(Or((A, B)))),
        ('((filename = "a"))', A),
        (r'filename ~ "\"\\\u00e9"', Comparison("filename", Operator.CONTAINS, '"\\é')),
        ('filename  not\nstartswith "a"', Comparison("filename", Operator.NOT_STARTS_WITH, "a")),
        ("custom_metadata.not.a-b = True", Comparison("custom_metadata.not.a-b", Operator.EQUAL, True)),
        ("metadata.reference != None", Comparison("metadata.reference", Operator.NOT_EQUAL, None)),
    ],
)
def test_a_query_becomes_a_tree(text: str, tree: object) -> None:
    """`and` binds closer than `or`, `not` closest; blanks and superfluous parentheses do not count."""
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("", 1, "expected a field or '(' or 'not', found the end"),
        ("filename =", 11, "expected a string in double quotes or a number or True, False or None, found the end"),
        ("filename = 'a'", 12, "found \"'a'\""),
        ('filename = "a" tags.name = "b"', 16, "expected 'and' or 'or' or the end, found 'tags.name'"),
        ('(filename = "a"', 16, "expected ')', found the end"),
        ("filename in ()", 14, "expected a string in double quotes or a number"),
        ('filename in "a"', 13, "expected '('"),
        ('filename = "a" and colour = "red"', 20, "unknown field 'colour'; known fields: id, filename,"),
        ("filename = 1", 12, "filename is compared with strings, not with '1'"),
        ("filename = None", 12, "filename is never None"),
        ('meta.width = "wide"', 14, "meta.width is compared with numbers, not with 'wide'"),
        ("meta.width > None", 14, "= and != only"),
        ("meta.width ~ 1", 12, "meta.width cannot be compared by ~; it can by =, !=, >"),
        ('tags.name in ("a", None)', 15, "not with 'None'"),
        ('id = "7"', 6, "id is compared with UUIDs"),
        ('created_at > "yesterday"', 14, "created_at is compared with dates like"),
        ('created_at > "0001-01-01T00:00:00+23:59"', 14, "created_at is compared with dates like"),
        (r'filename = "\ud800"', 12, "has a character that no text has"),
        (r'filename = "\u0000"', 12, "has a character that no text has"),
        ("meta.width = 9223372036854775808", 14, "the number is too large"),
        ("meta.width = 1e999", 14, "the number is too large"),
        ("meta.width = " + "9" * 5000, 14, "the number is too large"),
        ("custom_metadata.k > True", 21, "by =, !=, in and not in only"),
        ("custom_metadata.k ~ 3", 21, "for strings only"),
        ("(" * (MAX_NESTING + 1), MAX_NESTING + 1, "nested at most"),
        (" or ".join(["id=None"] * 250)[: MAX_LENGTH + 1], 4, "id is never None"),
        ("x" * (MAX_LENGTH + 1), MAX_LENGTH + 1, "at most 8,192 characters"),
    ],
)
def test_a_refused_query_is_told_what_is_wrong_and_where(text: str, column: int, said: str) -> None:
    """The error names the column, counted from 1, and what would be right there."""
    with pytest.raises(InvalidQueryError) as caught:
        compile_filter(text)

    assert caught.value.column == column
    assert caught.value.status == 400
    assert said in caught.value.message
    assert f"column {column}:" in caught.value.message


def test_a_query_has_a_limited_number_of_conditions() -> None:
    """One condition more than allowed is refused at its column."""
    condition = "meta.width = 1"
    compile_filter(" or ".join([condition] * MAX_CONDITIONS))

    with pytest.raises(InvalidQueryError) as caught:
        compile_filter(" or ".join([condition] * (MAX_CONDITIONS + 1)))

    assert caught.value.column == MAX_CONDITIONS * len(f"{condition} or ") + 1


@pytest.mark.parametrize("url", ["sqlite://", "postgresql://"])
def test_the_deepest_queries_compile(url: str) -> None:
    """A query at its limits becomes SQL for both databases, without any error of recursion."""
    opened = 'not (meta.width = 1 or filename = "a" and custom_metadata.a.b = "c" and '
    text = opened * MAX_NESTING + "meta.width = 2" + ")" * MAX_NESTING

    assert _sql(text, url).count("NOT (") == MAX_NESTING


def test_values_never_become_sql_text() -> None:
    """Strings, keys and numbers of a query are bound, never written into the statement."""
    sql = _sql('filename = "x\'; --" and metadata.zzz = "zzz" and meta.width > 777', "sqlite://")

    assert not any(part in sql for part in ("--", "zzz", "777"))


def _sql(text: str, url: str) -> str:
    dialect = make_url(url).get_dialect()()
    return str(select_data(Selection(uuid4(), filter=compile_filter(text)), Data.id).compile(dialect=dialect))
