"""How SQLite finds a page: along an index in the order of the data, whatever the query asks for."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy.dialects import sqlite

from airflow_provider_lake.server.store.database import Database
from airflow_provider_lake.server.store.migrations import upgrade
from airflow_provider_lake.server.store.queries.selection import Selection, select_after
from airflow_provider_lake.server.store.query_language import compile_filter
from airflow_provider_lake.server.store.tables import INDEXED_METADATA, Data


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Open an empty database: SQLite plans the same for a full one, by what a migration tells it of sizes."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('plans') / 'lake.db'}")
    upgrade(database.engine)
    yield database
    database.close()


def _plan(database: Database, q: str) -> str:
    """Return how SQLite would read a page of a thousand data in the middle."""
    statement = select_after(Selection(uuid4(), filter=compile_filter(q)), Data, position=500, limit=1000, offset=0)
    compiled = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True})
    with database.reading() as session:
        explained = f"EXPLAIN QUERY PLAN {compiled}"
        arguments = tuple(str(compiled.params[name]) for name in compiled.positiontup or ())
        return "\n".join(row[3] for row in session.connection().exec_driver_sql(explained, arguments))


@pytest.mark.parametrize(
    ("q", "index"),
    [
        ('tags.name = "car"', "ix_data_tags_tag_id_data_position (tag_id=? AND data_position>?)"),
        ('tags.name in ("car")', "ix_data_tags_tag_id_data_position (tag_id=? AND data_position>?)"),
        ('tags.name = "car" and meta.width > 3', "ix_data_tags_tag_id_data_position (tag_id=? AND data_position>?)"),
        ("meta.width > 3", "ix_data_datalake_id_position (datalake_id=? AND position>?)"),
        *(
            (f'metadata.{key} = "x"', f"ix_data_metadata_{key} (datalake_id=? AND <expr>=? AND position>?)")
            for key in INDEXED_METADATA
        ),
        (
            'metadata.reference = "x" and meta.width > 3',
            "ix_data_metadata_reference (datalake_id=? AND <expr>=? AND position>?)",
        ),
    ],
)
def test_a_page_is_found_along_an_index(database: Database, q: str, index: str) -> None:
    """It begins behind the cursor and needs no sorting, so that it costs the same wherever it is."""
    plan = _plan(database, q)

    assert index in plan
    assert "TEMP B-TREE" not in plan


def test_a_page_of_several_tags_is_made_of_a_page_of_each(database: Database) -> None:
    """What is sorted are at most as many pages as there are tags."""
    plan = _plan(database, 'tags.name in ("car", "van")')

    assert plan.count("ix_data_tags_tag_id_data_position (tag_id=? AND data_position>?)") == 2
    assert "SCAN data" not in plan
