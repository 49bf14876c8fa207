"""Lakes that start at once: forks of a process that has imported all that a lake imports.

Those imports take two seconds of a processor, and most of a lake's start. A fork of :class:`multiprocessing`'s fork
server runs the same command, on the same kind of process: with a pid, signals, an output and a log of its own.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TextIO

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__, "airflow_provider_lake.cli.serve", "airflow_provider_lake.server.serve"])


class PreloadedLake:
    """A running command of `lake`, with what the tests use of :class:`subprocess.Popen`.

    :param arguments: of the command.
    :param environment: all of its variables.
    :param log_path: file that its standard error is added to.
    """

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log_path: Path) -> None:
        output, written = _FORKS.Pipe(duplex=False)
        place = (str(Path.cwd()), dict(environment), str(log_path))
        self._process = _FORKS.Process(target=_run, args=(list(arguments), *place, written))
        self._process.start()
        written.close()
        self.stdout: TextIO = os.fdopen(os.dup(output.fileno()))
        output.close()

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._process.pid is not None
        return self._process.pid

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self._process.is_alive():
            os.kill(self.pid, number)

    def wait(self, timeout: float) -> int:
        """Wait for its end, so many seconds at most; return its exit code.

        :raises TimeoutExpired: it has not ended by then.
        """
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("lake", timeout)
        return self._process.exitcode


def _run(arguments: list[str], folder: str, environment: dict[str, str], log_path: str, output: Connection) -> None:
    """Become the command."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(output.fileno(), sys.stdout.fileno())
    output.close()
    with Path(log_path).open("ab") as log:
        os.dup2(log.fileno(), sys.stderr.fileno())
    from airflow_provider_lake.cli.main import main

    sys.exit(main(arguments))
