"""Whether a command can be run as a processing: looked at when it is registered, not only when its first job fails."""

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from airflow_provider_lake.cli.errors import CommandError
from airflow_provider_lake.server.work.jobs.program import search_path

_INTERPRETER = re.compile(r"python[\d.]*|bash|sh|dash|zsh|perl|ruby|node|Rscript")
# Options after which the next word is no file but code or the name of a module.
_NO_FILE = frozenset({"-c", "-m", "-e"})
# Options of Python with a value as the next word.
_WITH_VALUE = frozenset({"-W", "-X"})


def checked_command(command: Sequence[str]) -> list[str]:
    """Return a command with its files named absolutely: they are found from here, and run from another folder.

    :raises CommandError: its program or its script does not exist, or cannot be run.
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
    # The program's name stays one: it is looked for again whenever it runs.
    first = str(Path(program).absolute()) if os.sep in program else program
    return [first, *(str(Path(word).absolute()) if _is_file_name(word) else word for word in command[1:])]


def _check_program(path: Path) -> None:
    if not path.is_file():
        raise CommandError(f"no program {str(path)!r} (looked for from {Path.cwd()})")
    if not os.access(path, os.X_OK):
        raise CommandError(f"{str(path)!r} cannot be executed: chmod +x makes it a program, or name its interpreter")


def _check_script(command: Sequence[str]) -> None:
    """Look for the script that an interpreter is given."""
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
        return False  # longer than any name, or with a null character
