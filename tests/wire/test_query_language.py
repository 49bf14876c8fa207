"""The query language on PostgreSQL: the same property that the unit tests hold on SQLite."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine

from airflow_provider_lake.server.store.tables import Base
from tests.unit.server.test_query_language_properties import (
    test_the_database_finds_what_the_query_means,  # noqa: F401 - pytest runs it here over this engine
)
from tests.wire.postgres import PostgresServer


@pytest.fixture(scope="module")
def engine(postgres_server: PostgresServer) -> Iterator[Engine]:
    """Make the tables in a database of their own."""
    engine = create_engine(postgres_server.new_database())
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()
