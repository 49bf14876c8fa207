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
_MAX_LINE = 32768  # bytes that are kept of a line; the log cuts it again, at whole characters
_LINES_AT_ONCE = 200
_TICK = 0.5  # seconds between two looks at a silent program, and that a line waits for others
_TERMINATE_SECONDS = 5.0  # seconds between SIGTERM and SIGKILL
_INHERITED = frozenset(
    # The last three: whom a program trusts, where the lake's certificate is one of its owner's own.
    {"PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH"}
    | {"REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE"}
)
# The program becomes the process itself; beside it, in its process group, waits what kills the group when the lake is
# no more: then the kernel closes the other end of the pipe.
_GUARD_SCRIPT = """
exec 3<&0
(trap "" TERM INT HUP; read -r _ <&3; kill -9 -$$) >/dev/null 2>&1 &
exec "$@" </dev/null 3<&-
"""

_MAX_WAITING = 10_000  # lines kept while they cannot be written

# Returns whether the lines could be written; those that could not are handed on again later.
WriteLines = Callable[[Sequence[str]], bool]


def environment(parent: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return what a program finds in its environment: what it needs of the lake's own, and what it is given."""
    inherited = {name: value for name, value in parent.items() if name in _INHERITED or name.startswith("LC_")}
    return {**inherited, "PATH": search_path(parent), **given}


def search_path(parent: Mapping[str, str]) -> str:
    """Return where programs are looked for: beside the lake's own Python first, whose libraries include the client."""
    return os.pathsep.join([str(Path(sys.executable).parent), parent.get("PATH", os.defpath)])


class Program:
    """One running program, leader of a process group of its own, which ends with this process however that ends.

    :raises OSError: it cannot be started.
    """

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], folder: Path) -> None:
        if shutil.which(command[0], path=environ.get("PATH")) is None:
            raise FileNotFoundError(errno.ENOENT, "no such program", command[0])
        self._process = subprocess.Popen(  # noqa: S603 - the lake's owner registered this command
            ["/bin/sh", "-c", _GUARD_SCRIPT, "lake-job", *command],
            cwd=folder,
            env=environ,
            # Never written to: it is there to be closed.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
        )
        self._output = cast("IO[bytes]", self._process.stdout)

    def run(self, stop: StopSignal, write_lines: WriteLines) -> int:
        """Hand on the program's output line by line until it has ended, and return its exit code.

        When ``stop`` is set, the program is ended: by SIGTERM, five seconds later by SIGKILL. What it leaves behind in
        its process group ends with it.

        :return: negative where a signal ended it: minus the signal's number.
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
            # A child may keep the output open behind the program's end, and a program may close it before its own.
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
        """Give a program that closed its output, which mostly is its end, the time to end."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_TICK)

    def _drain(self, lines: "_Lines") -> None:
        os.set_blocking(self._output.fileno(), False)
        while chunk := self._output.read(_CHUNK):
            lines.feed(chunk)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):  # nothing of the group is left
            os.killpg(self._process.pid, number)


class _Lines:
    """Makes lines of chunks of bytes, and hands them on several at a time."""

    def __init__(self, write_lines: WriteLines) -> None:
        self._write_lines = write_lines
        self._rest = b""
        self._lines: list[str] = []
        self._oldest = 0.0

    def feed(self, chunk: bytes) -> bool:
        """Take what was read; return whether there was anything."""
        *ended, rest = (self._rest + chunk).split(b"\n")
        self._rest = rest[:_MAX_LINE]
        for line in ended:
            self._add(line)
        if len(self._lines) >= _LINES_AT_ONCE:
            self._flush()
        return bool(chunk)

    def flush_old(self) -> None:
        """Hand on lines that have waited long enough."""
        if self._lines and time.monotonic() - self._oldest >= _TICK:
            self._flush()

    def finish(self) -> None:
        """Hand on what is left."""
        if self._rest:
            self._add(self._rest)
        self._flush()

    def _add(self, line: bytes) -> None:
        if not self._lines:
            self._oldest = time.monotonic()
        # Of a progress bar that redraws itself only the last state counts.
        self._lines.append(line.rstrip(b"\r").rpartition(b"\r")[2].decode("utf-8", "replace"))

    def _flush(self) -> None:
        if self._lines and self._write_lines(self._lines):
            self._lines = []
        self._oldest = time.monotonic()
        del self._lines[:-_MAX_WAITING]
