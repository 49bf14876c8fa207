"""Checks at registration whether a command can run as a processing, instead of at its first job."""

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from airflow_provider_lake.cli.errors import CommandError
from airflow_provider_lake.server.work.jobs.program import search_path

_INTERPRETER = re.compile(r"python[\d.]*|bash|sh|dash|zsh|perl|ruby|node|Rscript")
# Options after which the next word is not a file but code or the name of a module.
_NO_FILE = frozenset({"-c", "-m", "-e"})
# Options of Python whose value is the next word.
_WITH_VALUE = frozenset({"-W", "-X"})


def checked_command(command: Sequence[str]) -> list[str]:
    """Return a command with absolute paths of its files, which exist relative to here: jobs run in another folder.

    :raises CommandError: its program or its script does not exist, or cannot be executed.
    """
    if not command or not command[0]:
        raise CommandError("the command is empty")
    program = command[0]
    if os.sep in program:
        _check_program(Path(program))
    elif shutil.which(program, path=search_path(os.environ)) is None:
        if Path(program).is_file():
            raise CommandError(f"{program!r} is no program of the PATH; a file of this folder is ./{program}")
        raise CommandError(f"no program {program!r}: neither beside this lake's python nor on the PATH")
    _check_script(command)
    # A program name without a folder is kept: it is searched on the PATH at every run.
    first = str(Path(program).absolute()) if os.sep in program else program
    return [first, *(str(Path(word).absolute()) if _is_file_name(word) else word for word in command[1:])]


def _check_program(path: Path) -> None:
    if not path.is_file():
        raise CommandError(f"no program {str(path)!r} (looked for from {Path.cwd()})")
    if not os.access(path, os.X_OK):
        raise CommandError(f"{str(path)!r} cannot be executed: chmod +x makes it a program, or name its interpreter")


def _check_script(command: Sequence[str]) -> None:
    """Check that the script exists that an interpreter is to run."""
    if not _INTERPRETER.fullmatch(Path(command[0]).name):
        return
    words = iter(command[1:])
    for word in words:
        if word in _NO_FILE or word == "-":
            return
        if word in _WITH_VALUE:
            next(words, None)
            continue
        if not word.startswith("-"):
            if not Path(word).exists():
                raise CommandError(f"no file {word!r} for {command[0]} to run (looked for from {Path.cwd()})")
            return


def _is_file_name(word: str) -> bool:
    try:
        return word != "" and Path(word).exists()
    except (OSError, ValueError):
        return False  # longer than a filename may be, or with a null character
