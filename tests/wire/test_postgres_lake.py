"""A lake on a real PostgreSQL server: what is not the same as on SQLite."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lake_process import LakeProcess
from tests.wire.job_calls import wait_for
from tests.wire.lake_api import LakeApi
from tests.wire.postgres import PostgresServer


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("nonsense", "postgresql+psycopg://"),
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
