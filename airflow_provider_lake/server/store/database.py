"""The engine and its transactions."""

import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

# Number of the lake's advisory lock in a PostgreSQL database; chosen at random.
_WRITERS_LOCK = 7_236_271
POOL_SECONDS = 10
# A connection used within this time is not checked before it is used again.
_TRUSTED_SECONDS = 1.0
_USED_AT = "lake_used_at"
# The database is unreachable, full or busy: the same may work later.
DATABASE_UNUSABLE = (OperationalError, InterfaceError, PoolTimeoutError)
_JSON: dict[str, Any] = {
    "json_serializer": lambda value: orjson.dumps(value).decode(),
    "json_deserializer": orjson.loads,
}


class DatabaseKindError(Exception):
    """The URL is that of a database that the lake does not support; the message is one line that says so."""


class Database:
    """Reading and writing transactions on one database, SQLite or PostgreSQL.

    A writing transaction is committed before its ``with`` block ends, so a response sent after it is durable. Writing
    transactions run one at a time: what one has read stays true until it commits, and rows become visible in the order
    of their positions, so that the cursor of a page never skips a row that is committed later.

    :param url: SQLAlchemy URL of either.
    :param is_shared: whether other processes write to it too; on PostgreSQL that is always assumed.
    :raises DatabaseKindError: it is neither SQLite nor PostgreSQL.
    """

    def __init__(self, url: str | URL, *, is_shared: bool = False) -> None:
        self._is_shared = is_shared
        self.engine = _engine(url)
        self._writing_engine = self.engine.execution_options(lake_writes=True)
        # SQLite's own lock makes waiting threads poll; this one wakes them in time.
        self._turn = threading.Lock()
        self._commits = 0

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session that sees one state of the database and changes nothing."""
        with Session(self.engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a session that is committed at the end of the block, or rolled back when the block raises."""
        with self._write_turn(), Session(self._writing_engine, expire_on_commit=False) as session:
            with session.begin():
                before = self._changes(session)
                yield session
                session.flush()
                has_changed = before is None or self._changes(session) != before
            self._commits += has_changed

    @contextmanager
    def _write_turn(self) -> Iterator[None]:
        """Wait until no other thread writes; a timeout raises the same error as one of the connection pool."""
        if not self._turn.acquire(timeout=POOL_SECONDS):
            raise PoolTimeoutError("another transaction writes for too long")
        try:
            yield
        finally:
            self._turn.release()

    def _changes(self, session: Session) -> int | None:
        """Return how many rows a connection has changed so far; None if its database does not report that."""
        driver: Any = session.connection().connection.driver_connection
        return getattr(driver, "total_changes", None)

    def state(self, session: Session) -> Hashable:
        """Return a value that identifies the state that a reading session sees: it changes after every write."""
        if self.engine.dialect.name == "postgresql":
            # Other processes may write too. A snapshot is defined by the transactions that it sees.
            return str(session.scalar(text("SELECT CAST(pg_current_snapshot() AS text)")))
        if self._is_shared:
            # Counts commits by other connections; those by this one are part of this process's count.
            connection = session.connection()
            version = connection.exec_driver_sql("PRAGMA data_version").scalar_one()
            return connection.info.setdefault("lake_connection", object()), version, self._commits
        return self._commits

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _engine(database_url: str | URL) -> Engine:
    url = make_url(database_url)
    # Values of rows stay out of messages and logs. A timeout of the pool becomes a 503 with Retry-After.
    options: dict[str, Any] = {**_JSON, "hide_parameters": True, "pool_timeout": POOL_SECONDS}
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:" or "mode" in url.query:
            # Each connection would have its own database.
            raise DatabaseKindError("a database of SQLite must be a file: sqlite:////FOLDER/NAME.db")
        engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False}, **options)
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    elif url.get_backend_name() == "postgresql":
        # By psycopg, whatever driver is named: other drivers do not commit a transaction that they did not start.
        url = url.set(drivername="postgresql+psycopg")
        # Transactions are started only by `_begin_postgresql`, not also by the driver.
        engine = create_engine(url, connect_args={"autocommit": True}, **options)
        event.listen(engine, "begin", _begin_postgresql)
        event.listen(engine, "checkin", _record_use)
        event.listen(engine, "checkout", _check_connection)
    else:
        raise DatabaseKindError(f"the database is to be SQLite or PostgreSQL, not {url.get_backend_name()}")
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not start transactions: `_begin_sqlite` does.
    connection.isolation_level = None
    cursor = connection.cursor()
    # FULL: in WAL mode a commit is on the disk before it returns, so a power loss does not undo it.
    # Checkpoints at 32 MiB: pages that many commits change are copied into the database once.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "wal_autocheckpoint=8192"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock at once: upgrading a reading transaction to a writing one can fail with "locked".
    writes = connection.get_execution_options().get("lake_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("lake_writes"):
        connection.exec_driver_sql(f"BEGIN; SELECT pg_advisory_xact_lock({_WRITERS_LOCK})")
    else:
        connection.exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _record_use(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info[_USED_AT] = time.monotonic()


def _check_connection(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
    """Replace a connection that was closed while idle, for example by a restart of the server."""
    now = time.monotonic()
    if now - record.info.get(_USED_AT, now) < _TRUSTED_SECONDS:
        return
    try:
        connection.execute("SELECT 1")
    except Exception as error:
        # Invalidate the whole pool: its other connections are as old.
        raise InvalidatePoolError from error
