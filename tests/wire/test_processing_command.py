"""`lake processing register`: the README's command, for real, and commands that cannot be run."""

from pathlib import Path

import pytest

from airflow_provider_lake.cli.main import main
from tests.lake_process import LakeProcess
from tests.wire.job_calls import finished, launch, log_lines, new_data
from tests.wire.lake_api import LakeApi

ROOT = Path(__file__).resolve().parents[2]


def _register(lake: LakeProcess, *command: str) -> int:
    return main(["processing", "register", "--data-dir", str(lake.data_dir), "count colors", "--", *command])


def test_the_processing_of_the_readme_runs(
    lake: LakeProcess, api: LakeApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its `python3` is the lake's, with the client and Pillow; its script is found from where it is registered."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert _register(lake, "python3", "example_processings/count_colors.py") == 0
    monkeypatch.chdir(tmp_path)

    job = launch(api, "count colors", new_data(api, 2), {"many": 1})

    assert finished(api, job)["status"] == "SUCCEEDED", log_lines(api, job)
    assert log_lines(api, job) == ["a.jpg: 1 colors", "a.jpg: 1 colors", "counted 2 of 2, 2 colorful"]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (["pyton3", "count_colors.py"], "no program 'pyton3'"),
        (["./missing"], "no program 'missing' (looked"),
        (["/no/such/program"], "no program '/no/such/program'"),
        (["./plain.py"], "cannot be executed: chmod +x"),
        (["plain.py"], "a file of this folder is ./plain.py"),
        (["python3", "missing.py"], "no file 'missing.py' for python3 to run"),
        (["python3", "-u", "missing.py", "plain.py"], "no file 'missing.py'"),
        (["python3", "-X", "utf8", "-W", "ignore", "missing.py"], "no file 'missing.py'"),
        (["/bin/sh", "missing.sh"], "no file 'missing.sh'"),
        ([""], "the command is empty"),
    ],
)
def test_a_command_that_cannot_be_run_is_refused(
    command: list[str],
    reason: str,
    lake: LakeProcess,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In one sentence that says what was looked for, and where."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain.py").touch()
    assert _register(lake, *command) == 1
    said = capsys.readouterr().err
    assert reason in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "command", [["python3", "-c", "missing"], ["python3", "-m", "json.tool"], ["sh", "-c", "exit"]]
)
def test_what_is_no_file_is_none(command: list[str], lake: LakeProcess, capsys: pytest.CaptureFixture[str]) -> None:
    """Code and modules stand where a script could."""
    assert _register(lake, *command) == 0
    assert capsys.readouterr().out.startswith("processing 'count colors' runs ")
