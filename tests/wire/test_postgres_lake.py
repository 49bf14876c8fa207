"""A lake on a real PostgreSQL server: what is not the same as on SQLite."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from airflow_provider_lake.server.store import database as database_module
from airflow_provider_lake.server.store.database import DATABASE_UNUSABLE, Database
from tests.lake_process import LakeProcess
from tests.wire.job_calls import wait_for
from tests.wire.lake_api import LakeApi
from tests.wire.postgres import PostgresServer


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("nonsense", "postgresql+psycopg://"),
        *((url, "must be a file") for url in ("sqlite://", "sqlite:///", "sqlite:///:memory:")),
        ("mysql://root:hidden@127.0.0.1/lake", "not mysql"),
        ("postgresql+psycopg://lake:hidden@127.0.0.1:9/lake", "Connection refused"),
        ("postgresql+psycopg://lake:hidden@no.such.host.invalid/lake", "no.such.host.invalid"),
    ],
)
def test_a_database_that_cannot_be_used_is_named_in_one_line(tmp_path: Path, url: str, named: str) -> None:
    """The lake does not start; the line never shows the password."""
    command = [sys.executable, "-m", "airflow_provider_lake.cli", "serve", "--port", "0", "--data-dir", str(tmp_path)]
    result = subprocess.run([*command, "--database", url], capture_output=True, text=True, timeout=60, check=False)

    assert (result.returncode, result.stdout) == (1, "")
    assert re.fullmatch(r"lake serve: [^\n]+\n", result.stderr), result.stderr
    assert named in result.stderr
    assert "hidden" not in result.stderr


def test_a_processing_is_registered_in_the_database(postgres_server: PostgresServer, tmp_path: Path) -> None:
    """By the command that is given the same URL as the lake; a running lake knows it at once."""
    url = postgres_server.new_database()
    command = [sys.executable, "-m", "airflow_provider_lake.cli", "processing", "register"]
    with LakeProcess(tmp_path / "data", database_url=url) as lake:
        api = LakeApi(lake)
        places = ["--data-dir", str(lake.data_dir), "--database", url]
        subprocess.run([*command, *places, "mine", "--", "true"], timeout=60, check=True)

        found = api.get(f"/api/organization/{api.organization}/processings/find", params={"name": "mine"})

    assert found.status_code == 200


def test_a_database_that_is_lost_comes_back(postgres_server: PostgresServer, tmp_path: Path) -> None:
    """Meanwhile the answer is 503 and why; afterwards everything is there, and jobs run, without a restart."""
    with LakeProcess(tmp_path / "data", database_url=postgres_server.new_database()) as lake:
        api = LakeApi(lake)
        tag = api.post(f"/api/datalake/{api.datalake}/tags", {"name": "before"}).json()

        postgres_server.stop()
        try:
            without = api.http.get(f"{lake.url}/api/tag/{tag['id']}", timeout=60)
        finally:
            postgres_server.start()

        assert (without.status_code, "database" in without.json()["message"]) == (503, True)
        assert api.get(f"/api/tag/{tag['id']}").json() == tag
        job = api.post(f"/api/datalake/{api.datalake}/objects", {"prefixes": ["none/"]}).json()["job"]
        wait_for(lambda: api.get(f"/api/v2/job/{job['id']}").json()["status"] == "SUCCEEDED")


def test_a_connection_that_ended_while_nobody_used_it_is_replaced(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody notices, unless it was used a moment ago: that is not asked for again, and fails once."""
    url = postgres_server.new_database()
    database = Database(url)
    try:
        for trusted_seconds, is_noticed in ((0.0, False), (3600.0, True)):
            monkeypatch.setattr(database_module, "_TRUSTED_SECONDS", trusted_seconds)
            with database.reading() as one, database.reading() as another:
                killed = {_process_of(one), _process_of(another)}
            _end(url, killed)

            if is_noticed:
                with pytest.raises(DATABASE_UNUSABLE), database.writing() as session:
                    _process_of(session)
            with database.writing() as one, database.reading() as another:
                assert not killed & {_process_of(one), _process_of(another)}
    finally:
        database.close()


def test_it_is_reached_by_psycopg_whatever_the_url_names(postgres_server: PostgresServer) -> None:
    """What is committed is there for others, and what is not is gone."""
    url = postgres_server.new_database().replace("postgresql+psycopg:", "postgresql:")
    database = Database(url)
    try:
        with database.writing() as session:
            session.execute(text("CREATE TABLE kept (id int)"))
        with pytest.raises(DBAPIError, match="division by zero"), database.writing() as session:
            session.execute(text("CREATE TABLE lost (id int); SELECT 1 / 0"))
        with pytest.raises(DBAPIError, match="read-only"), database.reading() as session:
            session.execute(text("CREATE TABLE refused (id int)"))
        with database.reading() as session:
            names = session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
            assert names.all() == ["kept"]
    finally:
        database.close()


def _process_of(session: Session) -> int:
    return int(session.scalar(text("SELECT pg_backend_pid()")) or 0)


def _end(url: str, processes: set[int]) -> None:
    """End server processes, and return once they have ended."""
    engine = create_engine(url)
    with engine.connect() as connection:
        for process in processes:
            assert connection.scalar(text("SELECT pg_terminate_backend(:process, 10000)"), {"process": process})
    engine.dispose()
