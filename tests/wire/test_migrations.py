"""The history of the tables, on both databases."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Uuid, column, table, text

from airflow_provider_lake.server.store.database import Database
from airflow_provider_lake.server.store.migrations import upgrade
from airflow_provider_lake.server.store.tables import Base, utc_now


@pytest.fixture
def database(new_database: Callable[[], str | None], tmp_path: Path) -> Iterator[Database]:
    """Open an empty database."""
    database = Database(new_database() or f"sqlite:///{tmp_path / 'lake.db'}")
    yield database
    database.close()


# Alembic cannot compare indexes of expressions on SQLite; test_page_plans.py shows that they are used.
@pytest.mark.quick
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
def test_the_history_leads_to_the_tables(database: Database) -> None:
    """What the migrations make is what the code asks for."""
    upgrade(database.engine)

    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_an_upload_that_was_under_way_goes_on(database: Database) -> None:
    """Before a store had names of its own for uploads, it knew them by the lake's."""
    organization, connector, upload = (uuid4() for _ in range(3))
    upgrade(database.engine, "0001")
    with database.engine.execution_options(lake_writes=True).begin() as connection:
        _insert(connection, "organizations", id=organization, name="o")
        _insert(connection, "connectors", id=connector, organization_id=organization, name="c", is_default=True)
        file = {"object_name": "a.mp4", "content_type": "video/mp4", "created_at": utc_now()}
        _insert(connection, "multipart_uploads", id=upload, connector_id=connector, **file)

    upgrade(database.engine)

    with database.engine.connect() as connection:
        assert connection.scalars(text("SELECT store_id FROM multipart_uploads")).all() == [str(upload)]


def _insert(connection: Connection, into: str, **values: Any) -> None:
    """Add a row to a table as it was, which need not be as the code has it now."""
    columns = [column(key, Uuid() if isinstance(value, UUID) else None) for key, value in values.items()]
    connection.execute(table(into, *columns).insert().values(values))
