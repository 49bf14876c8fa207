"""Runs one program: its environment, its output, its end."""

import contextlib
import errno
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, cast

from airflow_provider_lake.server.work.jobs.task import StopSignal

_CHUNK = 65536  # bytes read at once
_MAX_LINE = 32768  # longest line in bytes; the log cuts it again, at whole characters
_LINES_AT_ONCE = 200
_TICK = 0.5  # seconds between two checks of a silent program, and that a line waits for others
_TERMINATE_SECONDS = 5.0  # seconds between SIGTERM and SIGKILL
_INHERITED = frozenset(
    # The last three: trusted certificates, if the lake's own is not publicly trusted.
    {"PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH"}
    | {"REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE"}
)
# The program replaces the shell. A subshell in its process group waits on a pipe from the lake, and kills the group
# when the lake ends, however that ends: then the kernel closes the other end of the pipe.
_GUARD_SCRIPT = """
exec 3<&0
(trap "" TERM INT HUP; read -r _ <&3; kill -9 -$$) >/dev/null 2>&1 &
exec "$@" </dev/null 3<&-
"""

_MAX_WAITING = 10_000  # lines that are buffered while they cannot be written

# Returns whether the lines were written; otherwise they are passed again later.
WriteLines = Callable[[Sequence[str]], bool]


def environment(parent: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a program: some of the lake's own variables, and those given."""
    inherited = {name: value for name, value in parent.items() if name in _INHERITED or name.startswith("LC_")}
    return {**inherited, "PATH": search_path(parent), **given}


def search_path(parent: Mapping[str, str]) -> str:
    """Return the PATH of programs: first the folder of the lake's own Python, whose libraries include the client."""
    return os.pathsep.join([str(Path(sys.executable).parent), parent.get("PATH", os.defpath)])


class Program:
    """One running program, leader of its own process group, which ends with this process, however that ends.

    :raises OSError: it cannot be started.
    """

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], folder: Path) -> None:
        if shutil.which(command[0], path=environ.get("PATH")) is None:
            raise FileNotFoundError(errno.ENOENT, "no such program", command[0])
        self._process = subprocess.Popen(  # noqa: S603 - the lake's owner registered this command
            ["/bin/sh", "-c", _GUARD_SCRIPT, "lake-job", *command],
            cwd=folder,
            env=environ,
            # Nothing is written to it: its end signals the end of the lake.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
        )
        self._output = cast("IO[bytes]", self._process.stdout)

    def run(self, stop: StopSignal, write_lines: WriteLines) -> int:
        """Pass the program's output on line by line until it has ended, and return its exit code.

        When ``stop`` is set, the program gets SIGTERM, and five seconds later SIGKILL. Processes that it leaves in its
        process group are killed.

        :return: if a signal ended it: minus the signal's number.
        """
        lines = _Lines(write_lines)
        try:
            self._pump(stop, lines)
            lines.finish()
        finally:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._output.close()
            cast("IO[bytes]", self._process.stdin).close()
        return self._process.returncode

    def _pump(self, stop: StopSignal, lines: "_Lines") -> None:
        kill_at: float | None = None
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            selector.register(stop, selectors.EVENT_READ)
            # A child may keep the output open after the program has ended, and a program may close it before.
            while self._process.poll() is None:
                ready = {key.fileobj for key, _ in selector.select(_TICK)}
                if self._output in ready and not lines.feed(os.read(self._output.fileno(), _CHUNK)):
                    selector.unregister(self._output)
                    self._wait_briefly()
                if stop in ready:
                    selector.unregister(stop)
                    self._signal(signal.SIGTERM)
                    kill_at = time.monotonic() + _TERMINATE_SECONDS
                if kill_at is not None and time.monotonic() >= kill_at:
                    self._signal(signal.SIGKILL)
                lines.flush_old()
        self._drain(lines)

    def _wait_briefly(self) -> None:
        """Wait for the end of a program that closed its output: usually it is about to end."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_TICK)

    def _drain(self, lines: "_Lines") -> None:
        os.set_blocking(self._output.fileno(), False)
        while chunk := self._output.read(_CHUNK):
            lines.feed(chunk)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):  # no process of the group is left
            os.killpg(self._process.pid, number)


class _Lines:
    """Splits chunks of bytes into lines, and passes several lines at a time on."""

    def __init__(self, write_lines: WriteLines) -> None:
        self._write_lines = write_lines
        self._rest = b""
        self._lines: list[str] = []
        self._oldest = 0.0

    def feed(self, chunk: bytes) -> bool:
        """Add a chunk; return whether it has any bytes."""
        *ended, rest = (self._rest + chunk).split(b"\n")
        self._rest = rest[:_MAX_LINE]
        for line in ended:
            self._add(line)
        if len(self._lines) >= _LINES_AT_ONCE:
            self._flush()
        return bool(chunk)

    def flush_old(self) -> None:
        """Pass lines on that have waited long enough."""
        if self._lines and time.monotonic() - self._oldest >= _TICK:
            self._flush()

    def finish(self) -> None:
        """Pass the rest on."""
        if self._rest:
            self._add(self._rest)
        self._flush()

    def _add(self, line: bytes) -> None:
        if not self._lines:
            self._oldest = time.monotonic()
        # Of a progress bar, which redraws itself after \r, only the last state is logged.
        self._lines.append(line.rstrip(b"\r").rpartition(b"\r")[2].decode("utf-8", "replace"))

    def _flush(self) -> None:
        if self._lines and self._write_lines(self._lines):
            self._lines = []
        self._oldest = time.monotonic()
        del self._lines[:-_MAX_WAITING]
