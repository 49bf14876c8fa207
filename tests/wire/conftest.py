"""Real processes for the tests of the wire: lakes, a PostgreSQL server, an S3 server."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lake_process import LakeProcess
from tests.wire import postgres, rgw
from tests.wire.archive import archive
from tests.wire.lake_api import LakeApi
from tests.wire.postgres import PostgresServer
from tests.wire.rgw import RadosGateway

# Their lakes are on SQLite and then, once more, on PostgreSQL.
_OVER_BOTH_DATABASES = {
    "test_concurrent_writers",
    "test_lake_workers",
    "test_migrations",
    "test_server_data",
    "test_server_imports",
    "test_server_jobs",
    "test_server_lists",
    "test_server_registrations",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the databases of a test's lakes."""
    if metafunc.module.__name__.rpartition(".")[2] in _OVER_BOTH_DATABASES and "new_database" in metafunc.fixturenames:
        metafunc.parametrize("new_database", ["sqlite", "postgresql"], indirect=True, scope="session")


@pytest.fixture(scope="session")
def new_database(request: pytest.FixtureRequest) -> Callable[[], str | None]:
    """Return what gives the URL of a lake's database; None: the lake makes its own."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return lambda: None
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.new_database


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[], str | None]) -> Iterator[LakeProcess]:
    """Run one embedded lake for all tests that need not stop it."""
    folder = tmp_path_factory.mktemp("lake") / "data"
    with LakeProcess(folder, database_url=new_database(), is_preloaded=True) as process:
        yield process


@pytest.fixture
def own_lake(tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[], str | None]) -> Iterator[LakeProcess]:
    """Run a lake for one test alone: empty, and to be stopped at will."""
    folder = tmp_path_factory.mktemp("own-lake") / "data"
    with LakeProcess(folder, database_url=new_database(), is_preloaded=True) as process:
        yield process


@pytest.fixture
def api(lake: LakeProcess) -> LakeApi:
    """Call the lake's API without any client."""
    return LakeApi(lake)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Run one PostgreSQL server."""
    if postgres.IS_MISSING:
        # A real server or none: pip brings no PostgreSQL.
        pytest.skip("no PostgreSQL here: its initdb is missing (Debian: apt-get install postgresql)")
    # Not below pytest's folder, which is its owner's only: the server may have to run as somebody else.
    with tempfile.TemporaryDirectory(prefix="lake-postgres-") as folder:
        Path(folder).chmod(0o755)
        with PostgresServer(Path(folder) / "server") as server:
            yield server


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RadosGateway]:
    """Run one S3 server."""
    if rgw.MISSING:
        # Real S3 or none, as for PostgreSQL: pip brings no Ceph.
        pytest.skip(
            f"no S3 server here: {', '.join(rgw.MISSING)} missing (Debian: radosgw ceph-mon ceph-osd ceph-common)"
        )
    with RadosGateway(tmp_path_factory.mktemp("rgw")) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def archive_server() -> Iterator[tuple[Any, str]]:
    """Run one S3 server: Airflow keeps what it has once opened by a connection, so its address must stay."""
    with archive() as bucket_and_connection:
        yield bucket_and_connection


@pytest.fixture
def bucket(archive_server: tuple[Any, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return an empty bucket ``archive``, and connect Airflow to it by the connection ``archive``."""
    bucket, connection = archive_server
    bucket.objects.all().delete()
    monkeypatch.setenv("AIRFLOW_CONN_ARCHIVE", connection)
    return bucket
