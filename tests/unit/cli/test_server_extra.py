"""What the commands of an embedded lake say where it cannot run."""

from pathlib import Path

import pytest

from airflow_provider_lake.cli import server_extra
from airflow_provider_lake.cli.main import main

COMMANDS = [["serve"], ["demo"], ["processing", "list"], ["processing", "register", "a", "b"]]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_library_is_named_with_the_extra_that_brings_it(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, and nothing was made."""
    monkeypatch.setattr(server_extra, "_MODULES", ("no_such_module",))
    monkeypatch.chdir(tmp_path)

    code = main(command)

    complaint = "no_such_module not installed; install airflow-provider-lake[server]"
    assert (code, capsys.readouterr().err) == (1, f"lake {command[0]}: {complaint}\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_beside_sqlalchemy_1_the_way_out_is_said(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line: Airflow 3.0 brings 1.4, the lake needs an environment of its own then."""
    monkeypatch.setattr(server_extra, "_MODULES", ())
    monkeypatch.setattr(server_extra, "version", lambda _name: "1.4.54")
    monkeypatch.chdir(tmp_path)

    code = main(command)

    error = capsys.readouterr().err
    assert (code, error.count("\n")) == (1, 1)
    assert "needs SQLAlchemy 2, this environment has 1.4.54" in error
    assert "environment of its own" in error
