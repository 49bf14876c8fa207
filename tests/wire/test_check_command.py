"""`lake check` and `airflow lake check` against a real lake."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_provider_lake.cli.main import main
from tests.lake_process import LakeProcess
from tests.wire.no_lakes import closed_port


def test_a_lake_that_works_is_told_with_its_names(lake: LakeProcess, capsys: pytest.CaptureFixture[str]) -> None:
    """On standard output, with exit code 0."""
    code = main(["check", "--host", lake.url, "--token-file", str(lake.data_dir / "token"), "--timeout", "20"])

    assert (code, capsys.readouterr().out) == (
        0,
        f"connected to datalake 'default' of organization 'local' at {lake.url} as owner\n",
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--token", "wrong"], "does not know the API token"),
        (["--datalake", "no-such-lake"], "no datalake named 'no-such-lake'"),
        (["--organization-name", "nobody"], "no access to organization 'nobody'"),
        (["--organization-id", "nothing"], "nothing"),
        (["--timeout", "soon"], "no number of seconds: 'soon'"),
        (["--host", "ftp://lake"], "must begin with"),
        (["--token", ""], "no API token"),
        (["--token-file", "/no/such/file"], "/no/such/file cannot be read"),
        (["--conn-id", "no_such_connection"], "no_such_connection"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    lake: LakeProcess, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    """On standard error, with exit code 1 and no token."""
    code = main(["check", "--host", lake.url, "--token", lake.token, *arguments])

    written = capsys.readouterr()
    assert (code, written.out) == (1, "")
    assert said in written.err
    assert written.err.count("\n") == 1
    assert lake.token not in written.err


def test_a_connection_of_airflow_is_tried_by_its_id(
    lake: LakeProcess, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever Airflow keeps it."""
    monkeypatch.setenv("AIRFLOW_CONN_MY_LAKE", lake.connection())
    monkeypatch.setenv("AIRFLOW_CONN_NO_LAKE", "http://127.0.0.1")

    assert main(["check", "--conn-id", "my_lake"]) == 0
    assert "connected to datalake 'default'" in capsys.readouterr().out
    assert main(["check", "--conn-id", "no_lake"]) == 1
    assert "is of type 'http', not 'lake'" in capsys.readouterr().err


@pytest.mark.parametrize("works", [True, False])
def test_airflows_own_command_line_has_the_check(lake: LakeProcess, tmp_path: Path, works: bool) -> None:
    """`airflow lake check` says the same, by output and exit code."""
    connection = lake.connection() if works else lake.connection(host=f"http://{closed_port()}")
    environment = os.environ | {"AIRFLOW_HOME": str(tmp_path), "AIRFLOW_CONN_LAKE_DEFAULT": connection}
    command = [sys.executable, "-m", "airflow", "lake", "check"]

    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert ended.returncode == (0 if works else 1), ended.stderr
    assert ("connected to datalake 'default'" in ended.stdout) == works
    assert ("nothing listens at" in ended.stderr) != works
    assert lake.token not in ended.stdout + ended.stderr
