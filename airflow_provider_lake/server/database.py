"""The engine and its transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import Session

# Names the lake's lock among the advisory locks of a PostgreSQL database; any number would do.
_WRITERS_LOCK = 7_236_271
POOL_SECONDS = 10


class Database:
    """Reading and writing transactions on one database, SQLite or PostgreSQL.

    A writing transaction is committed before its ``with`` block ends, so an answer sent after it is durable. Writers
    take turns: what one of them has looked up stays true until it commits, and rows become visible in the order of
    their positions, so that the cursor of a page never passes a row that comes later.
    """

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self._writing_engine = self.engine.execution_options(lake_writes=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session that sees one state of the database and changes nothing."""
        with Session(self.engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a session that is committed at the end of the block, or rolled back when the block raises."""
        with Session(self._writing_engine, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _engine(url: str) -> Engine:
    # What is in a row stays out of messages and logs. Who gets no connection in time is told to come again.
    options: dict[str, Any] = {"hide_parameters": True, "pool_timeout": POOL_SECONDS}
    if url.startswith("sqlite"):
        engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False}, **options)
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        engine = create_engine(url, pool_pre_ping=True, **options)
        event.listen(engine, "begin", _begin_postgresql)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions by itself: _begin_sqlite does.
    connection.isolation_level = None
    cursor = connection.cursor()
    # FULL: in WAL mode a commit reaches the disk before it is answered, also when the machine loses power.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock at once: a reading transaction that turns into a writing one can fail with "locked".
    writes = connection.get_execution_options().get("lake_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("lake_writes"):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS_LOCK})")
    else:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
