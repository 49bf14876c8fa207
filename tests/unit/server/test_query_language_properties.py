"""Properties of queries, over generated queries and rows."""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, delete, insert, select
from sqlalchemy.orm import Session

from airflow_provider_lake.server.store.queries.selection import Selection, count_data, select_after, select_data
from airflow_provider_lake.server.store.query_language import InvalidQueryError, compile_filter, parse
from airflow_provider_lake.server.store.query_language.tree import And, Comparison, Node, Not, Operator, Or, Scalar
from airflow_provider_lake.server.store.tables import Base, Data, Datalake, DataSource, DataTag, Organization, Tag

MOMENT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
NAMES = ("a", "A", "ab", "b%", "_", "/", "", "é", '"q"\\')
NUMBERS = (0, 1, -1, 2.5, 1920)
JSON_VALUES: tuple[Any, ...] = (*NAMES, *NUMBERS, True, False, None, [1], {"k": 1})

TEXT_FIELDS = ("filename", "object_name", "tags.name", "data_source.name")
NUMBER_FIELDS = ("meta.width", "file_size")
JSON_FIELDS = ("metadata.reference", "custom_metadata.k", "custom_metadata.k.k")

EQUAL = (Operator.EQUAL, Operator.NOT_EQUAL)
LISTS = (Operator.IN, Operator.NOT_IN)
ORDER = (Operator.GREATER, Operator.GREATER_OR_EQUAL, Operator.LESS, Operator.LESS_OR_EQUAL)
SEARCH = tuple(each for each in Operator if each not in {*EQUAL, *LISTS, *ORDER})

texts = st.sampled_from(NAMES)
numbers = st.sampled_from(NUMBERS)
moments = st.sampled_from([MOMENT.isoformat(), "2024-05-06", "2024-05-06T09:08:09+02:00"])


def comparisons_of(
    names: tuple[str, ...], values: st.SearchStrategy[Any], operators: tuple[Operator, ...]
) -> st.SearchStrategy[Comparison]:
    """Compare fields with values, alone and in lists."""
    fields = st.sampled_from(names)
    lists = st.lists(values, min_size=1, max_size=3).map(tuple)
    return st.builds(Comparison, fields, st.sampled_from(operators), values) | st.builds(
        Comparison, fields, st.sampled_from(LISTS), lists
    )


comparisons = st.one_of(
    comparisons_of(TEXT_FIELDS, texts, (*EQUAL, *ORDER, *SEARCH)),
    comparisons_of(NUMBER_FIELDS, numbers, (*EQUAL, *ORDER)),
    comparisons_of(("created_at",), moments, (*EQUAL, *ORDER)),
    comparisons_of(JSON_FIELDS, texts, (*EQUAL, *ORDER, *SEARCH)),
    comparisons_of(JSON_FIELDS, numbers, (*EQUAL, *ORDER)),
    comparisons_of(JSON_FIELDS, st.booleans() | texts | numbers, EQUAL),
    st.builds(
        Comparison,
        st.sampled_from(("tags.name", "data_source.name", "meta.width", "file_size", *JSON_FIELDS)),
        st.sampled_from(EQUAL),
        st.none(),
    ),
)


def _joined(nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(nodes, min_size=2, max_size=3).map(tuple)
    return st.builds(And, several) | st.builds(Or, several) | st.builds(Not, nodes)


trees: st.SearchStrategy[Node] = st.recursive(comparisons, _joined, max_leaves=6)
# What indexes find, alone or beside something else.
served = st.one_of(
    st.builds(Comparison, st.just("tags.name"), st.just(Operator.EQUAL), texts),
    st.builds(
        Comparison, st.just("tags.name"), st.just(Operator.IN), st.lists(texts, min_size=2, max_size=3).map(tuple)
    ),
    st.builds(Comparison, st.just("metadata.reference"), st.just(Operator.EQUAL), texts),
)
asked = trees | served | st.tuples(served, served | comparisons).map(And)


@dataclass(frozen=True)
class Row:
    """What a query can know about one data."""

    filename: str
    width: int | None
    reference: Any
    custom_metadata: Any
    tags: frozenset[str]
    source: str | None
    moved: int = field(default=0)

    def value(self, name: str) -> Any:
        """Return the value of a field; of tags all of them."""
        return {
            "filename": self.filename,
            "object_name": f"x/{self.filename}",
            "tags.name": self.tags,
            "data_source.name": self.source,
            "meta.width": self.width,
            "file_size": self.width,
            "created_at": MOMENT + timedelta(hours=self.moved),
            "metadata.reference": self.reference,
            "custom_metadata.k": _get(self.custom_metadata, "k"),
            "custom_metadata.k.k": _get(_get(self.custom_metadata, "k"), "k"),
        }[name]


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


rows = st.builds(
    Row,
    filename=texts,
    width=st.none() | st.integers(0, 2000),
    reference=st.sampled_from(JSON_VALUES),
    custom_metadata=st.none() | st.just({}) | st.sampled_from(JSON_VALUES).map(lambda value: {"k": value}),
    tags=st.frozensets(texts, max_size=2),
    source=st.none() | texts,
    moved=st.integers(-8, 8),
)


def _folded(text: str) -> str:
    """Fold case as SQLite does: in ASCII only."""
    return "".join(each.lower() if each.isascii() else each for each in text)


COMPARE: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQUAL: operator.eq,
    Operator.GREATER: operator.gt,
    Operator.GREATER_OR_EQUAL: operator.ge,
    Operator.LESS: operator.lt,
    Operator.LESS_OR_EQUAL: operator.le,
    Operator.CONTAINS: lambda one, other: _folded(other) in _folded(one),
    Operator.STARTS_WITH: lambda one, other: _folded(one).startswith(_folded(other)),
    Operator.ENDS_WITH: lambda one, other: _folded(one).endswith(_folded(other)),
}


def _kind(value: Any) -> type:
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


def _compare(found: Any, operator: Operator, wanted: Scalar) -> bool:
    return _kind(found) is _kind(wanted) and COMPARE[operator](found, wanted)


def evaluate(node: Node, row: Row) -> bool:
    """Say in plain Python whether a query is true of a row."""
    match node:
        case And(operands):
            return all(evaluate(operand, row) for operand in operands)
        case Or(operands):
            return any(evaluate(operand, row) for operand in operands)
        case Not(operand):
            return not evaluate(operand, row)
        case Comparison(name, operator, wanted):
            if operator.opposite is not None:
                return not evaluate(Comparison(name, operator.opposite, wanted), row)
            return _evaluate_comparison(row.value(name), name, operator, wanted)


def _evaluate_comparison(found: Any, name: str, operator: Operator, wanted: Any) -> bool:
    found = list(found) if name == "tags.name" else [found]
    if wanted is None:
        return found in ([], [None])
    if name == "created_at":
        wanted = [_moment(each) for each in wanted] if isinstance(wanted, tuple) else _moment(wanted)
    if operator == Operator.IN:
        return any(_compare(each, Operator.EQUAL, scalar) for each in found for scalar in wanted)
    return any(_compare(each, operator, wanted) for each in found)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """Return an empty database."""
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


def _store(session: Session, stored: list[Row]) -> None:
    for table in (DataTag, Data, Tag, DataSource, Datalake, Organization):
        session.execute(delete(table))
    organization = Organization(name="org")
    session.add(organization)
    session.flush()
    datalake = Datalake(organization_id=organization.id, name="lake")
    sources = {name: DataSource(organization_id=organization.id, name=name) for name in NAMES}
    session.add_all([datalake, *sources.values()])
    session.flush()
    tags = {name: Tag(datalake_id=datalake.id, name=name) for name in NAMES}
    session.add_all(tags.values())
    session.flush()
    for position, row in enumerate(stored, 1):
        data = Data(position=position, datalake_id=datalake.id, content_type="image/png", type="IMAGE")
        data.filename, data.object_name = row.filename, f"x/{row.filename}"
        data.width = data.file_size = row.width
        data.metadata_, data.custom_metadata = {"reference": row.reference}, row.custom_metadata
        data.data_source_id = sources[row.source].id if row.source is not None else None
        data.created_at = row.value("created_at")
        session.add(data)
        session.flush()
        for name in row.tags:
            session.execute(insert(DataTag).values(data_position=position, tag_id=tags[name].id))


@given(tree=trees)
def test_a_printed_query_is_read_back_as_the_same_tree(tree: Node) -> None:
    """Whatever tree is printed, parsing gives an equal one."""
    assert parse(str(tree)) == tree


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
@given(tree=asked, stored=st.lists(rows, min_size=1, max_size=4, unique_by=lambda row: row.filename))
def test_the_database_finds_what_the_query_means(engine: Engine, tree: Node, stored: list[Row]) -> None:
    """Page by page, counted, or all at once: just those rows of which plain Python says that the query is true."""
    with Session(engine) as session:
        _store(session, stored)
        selection = Selection(session.scalars(select(Datalake.id)).one(), filter=compile_filter(str(tree)))
        found = list(_pages(session, selection))
        count = count_data(session, selection)
        unordered = session.scalars(select_data(selection, Data.position)).all()

    expected = [position for position, row in enumerate(stored, 1) if evaluate(tree, row)]
    assert found == expected
    assert count == len(expected)
    assert sorted(unordered) == expected


def _pages(session: Session, selection: Selection) -> Iterator[int]:
    """Yield the positions of the data that are meant, as pages of two give them."""
    position = 0
    while page := session.scalars(select_after(selection, Data.position, position=position, limit=2, offset=0)).all():
        yield from page
        assert page[-1] > position
        position = page[-1]


def _column_of_error(text: str) -> int | None:
    try:
        compile_filter(text)
    except InvalidQueryError as error:
        return error.column
    return None


beginnings = trees.map(str).flatmap(lambda text: st.integers(0, len(text)).map(lambda end: text[:end]))


@given(text=st.text(max_size=60) | beginnings)
def test_no_text_breaks_the_parser(text: str) -> None:
    """Any text is either a query, or is refused at a column within it or just behind."""
    column = _column_of_error(text)

    assert column is None or 1 <= column <= len(text) + 1
