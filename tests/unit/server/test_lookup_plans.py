"""How SQLite finds some of many data: by what names them, never by reading all data of a datalake."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from airflow_provider_lake.ingest.known_data import MAX_HASHES_PER_QUERY, content_query
from airflow_provider_lake.server.bootstrap import open_lake
from airflow_provider_lake.server.errors import NotFoundError
from airflow_provider_lake.server.settings import Settings
from airflow_provider_lake.server.store.database import Database
from airflow_provider_lake.server.store.queries import data, imports, objects, processings, projections, tags
from airflow_provider_lake.server.store.queries.listing import list_ordered
from airflow_provider_lake.server.store.queries.selection import Selection, count_data, select_after
from airflow_provider_lake.server.store.query_language import compile_filter
from airflow_provider_lake.server.store.tables import Data, Tag

# As many as a client may name at once.
IDS = [uuid4() for _ in range(1000)]
# As a task asks for the files that the lake has.
HASHES = [f"{number:064x}" for number in range(MAX_HASHES_PER_QUERY)]
NAMES = [f"camera/{number}.jpg" for number in range(1000)]
LAKE, ORGANIZATION = uuid4(), uuid4()
TAG = Tag(id=uuid4(), datalake_id=LAKE, name="car")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Open the database of an empty lake: SQLite plans the same for a full one."""
    with open_lake(Settings(tmp_path_factory.mktemp("lake"))) as lake:
        yield lake.database


@pytest.mark.parametrize(
    "look_up",
    [
        pytest.param(lambda session: imports.existing_objects(session, LAKE, NAMES), id="objects of an import"),
        pytest.param(lambda session: imports.positions(session, LAKE, NAMES), id="objects with projections"),
        pytest.param(lambda session: objects.find_unused(session, ORGANIZATION, NAMES), id="unused objects"),
        pytest.param(lambda session: tags.attach_tag(session, TAG, IDS), id="data to be tagged"),
        pytest.param(lambda session: tags.detach_tag(session, TAG, IDS), id="data to be untagged"),
        pytest.param(lambda session: data.get_many(session, LAKE, IDS), id="data to be changed"),
        pytest.param(lambda session: data.delete_data(session, ORGANIZATION, IDS), id="data to be deleted"),
        pytest.param(lambda session: processings.missing_data(session, LAKE, IDS), id="inputs of a processing"),
        pytest.param(lambda session: projections.list_thumbnails(session, LAKE, IDS), id="thumbnails of a page"),
        pytest.param(lambda session: _list(session, Selection(LAKE, ids=IDS)), id="list by ids"),
        pytest.param(lambda session: _list(session, Selection(LAKE, object_names=NAMES)), id="list by object names"),
        pytest.param(lambda session: _list(session, Selection(LAKE, filenames=NAMES)), id="list by file names"),
        pytest.param(lambda session: _page(session, content_query(HASHES)), id="page by hashes"),
        pytest.param(lambda session: count_data(session, _asked(content_query(HASHES))), id="count by hashes"),
        pytest.param(lambda session: data.list_pending(session, 200), id="data that nobody looked at"),
    ],
)
def test_what_is_named_is_found_by_its_name(database: Database, look_up: Callable[[Session], object]) -> None:
    """So that it costs the same in a lake of a thousand data and in one of a million."""
    with database.writing() as session:
        executed = _statements_of(database.engine, lambda: look_up(session))
        plans = "\n".join(_plan(session, *each) for each in executed)

    assert "data USING" in plans
    for line in plans.splitlines():
        assert "SCAN data" not in line
        assert "SCAN projections" not in line
        assert "(datalake_id=?)" not in line
        assert "(datalake_id=? AND position>?)" not in line


@pytest.mark.parametrize(
    "selection",
    [
        Selection(LAKE, upload_statuses=["DONE"]),
        Selection(LAKE, upload_statuses=["DONE", "ERROR"], ids=IDS),
        Selection(LAKE, upload_statuses=["DONE"], filenames=NAMES),
        Selection(LAKE, upload_statuses=["DONE"], filter=compile_filter('tags.name = "car"')),
        Selection(LAKE, upload_statuses=["DONE"], filter=compile_filter('metadata.reference = "x"')),
        Selection(LAKE, filter=compile_filter('upload_status = "DONE" and tags.name = "car"')),
    ],
    ids=["alone", "ids", "filenames", "tag", "metadata", "query"],
)
def test_data_are_not_looked_for_by_a_state_that_most_have(database: Database, selection: Selection) -> None:
    """Sooner or later all are DONE."""

    def read(session: Session) -> None:
        count_data(session, selection)
        session.execute(select_after(selection, Data.id, position=500, limit=1000, offset=0))

    with database.reading() as session:
        executed = _statements_of(database.engine, lambda: read(session))
        plans = "\n".join(_plan(session, *each) for each in executed)

    assert "SEARCH data" in plans
    assert "upload_status" not in plans


def _asked(query: str) -> Selection:
    return Selection(LAKE, filter=compile_filter(query))


def _page(session: Session, query: str) -> object:
    return session.execute(select_after(_asked(query), Data.id, position=500, limit=1000, offset=0)).all()


def _list(session: Session, selection: Selection) -> object:
    return list_ordered(session, selection, (), 1000, 0)


def _statements_of(engine: Engine, work: Callable[[], object]) -> Sequence[tuple[str, Any]]:
    executed: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_more: object) -> None:
        executed.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        # Some say that nothing of it is there.
        with suppress(NotFoundError):
            work()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return executed


def _plan(session: Session, statement: str, parameters: Any) -> str:
    explained = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
    return "\n".join(row[3] for row in explained)
