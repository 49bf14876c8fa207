"""What the `lake` command says of its arguments."""

from pathlib import Path

import pytest

from airflow_provider_lake import __version__
from airflow_provider_lake.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "lake: the following arguments are required: COMMAND"),
        (["swim"], "lake: argument COMMAND: invalid choice: 'swim'"),
        (["serve", "--port", "http"], "lake serve: argument --port: 'http' is no port: 0 to 65535"),
        (["serve", "--port", "65536"], "lake serve: argument --port: '65536' is no port: 0 to 65535"),
        (["serve", "--jobs", "0"], "lake serve: argument --jobs: '0' is no number of jobs: 1 or more"),
        (["serve", "--data-dir", ""], "lake serve: argument --data-dir: '' names nothing: give a path"),
        (["demo", "--photos", " "], "lake demo: argument --photos: ' ' names nothing: give a path"),
        (["user", "list", "--data-dir", ""], "lake user list: argument --data-dir: '' names nothing: give a path"),
        (["serve", "--po", "1"], "lake: unrecognized arguments: --po 1"),
        (["demo", "--photos"], "lake demo: argument --photos: expected one argument"),
        (["processing"], "lake processing: the following arguments are required: ACTION"),
        (["processing", "register", "a"], "lake processing register: the following arguments are required: COMMAND"),
    ],
)
def test_wrong_usage_is_said_in_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, what is wrong, and where to read more."""
    with pytest.raises(SystemExit) as exit_:
        main(arguments)

    out, err = capsys.readouterr()
    assert (exit_.value.code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(message)
    assert err.endswith(" --help)\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["demo", "--photos", "{folder}/none", "--data-dir", "{folder}"], "lake demo: no such folder: {folder}/none\n"),
        pytest.param(
            ["processing", "register", "--data-dir", "{folder}", "a", "--", "true"],
            "lake processing: no lake in {folder}; start it once: lake serve --data-dir {folder}\n",
            marks=pytest.mark.server,
        ),
        pytest.param(
            ["processing", "list", "--data-dir", "{folder}"],
            "lake processing: no lake in {folder}; start it once: lake serve --data-dir {folder}\n",
            marks=pytest.mark.server,
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, and nothing was made."""
    code = main([argument.format(folder=tmp_path) for argument in arguments])

    assert (code, *capsys.readouterr()) == (1, "", message.format(folder=tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    """Of the whole package, not of one command."""
    with pytest.raises(SystemExit) as exit_:
        main(["--version"])

    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"airflow-provider-lake {__version__}\n"
