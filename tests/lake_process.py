"""An embedded lake for tests: the process that users run."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from airflow_provider_lake.client import Client
from tests.preloaded_lake import PreloadedLake

STOP_SECONDS = 30


class LakeProcess:
    """`lake serve` on a free port.

    :param data_dir: folder of its data; what lies in ``objects`` there is its bucket.
    :param arguments: more arguments of the command.
    :param database_url: its database; None: SQLite in its folder.
    :param environment: variables beside those of the tests.
    :param launcher: a command that becomes the lake: it ends by executing its arguments.
    :param is_preloaded: whether it is a fork of a process that has imported it, instead of a program that is started.
    """

    def __init__(
        self,
        data_dir: Path,
        *arguments: str,
        database_url: str | None = None,
        environment: Mapping[str, str] | None = None,
        launcher: Sequence[str] = (),
        is_preloaded: bool = False,
    ) -> None:
        self.is_preloaded = is_preloaded
        self.launcher = launcher
        self.data_dir = data_dir
        self.database_url = database_url
        self.environment = os.environ | (environment or {})
        self.arguments = arguments
        self.port = 0
        self.url = ""

    def __enter__(self) -> Self:
        """Start it, and wait until it answers."""
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop it."""
        self.stop()

    def start(self) -> None:
        """Start it, on the port that it had before if it ran already."""
        command = ["serve", "--port", str(self.port), "--data-dir", str(self.data_dir), *self.arguments]
        command += ["--database", self.database_url] if self.database_url else []
        log_path = self.data_dir.parent / f"{self.data_dir.name}.log"
        self.process = self._start(command, log_path)
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line.startswith("lake ready on "):
            raise AssertionError(f"the lake did not start:\n{log_path.read_text()}")
        self.url = line.removeprefix("lake ready on ").strip()
        self.port = int(self.url.rsplit(":", 1)[1])

    def _start(self, command: Sequence[str], log_path: Path) -> "subprocess.Popen[str] | PreloadedLake":
        if self.is_preloaded:
            return PreloadedLake(command, self.environment, log_path)
        program = [*self.launcher, sys.executable, "-m", "airflow_provider_lake.cli", *command]
        with log_path.open("ab") as log:
            return subprocess.Popen(program, stdout=subprocess.PIPE, stderr=log, text=True, env=self.environment)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it, and return its exit code."""
        self.process.send_signal(number)
        if self.process.stdout:
            self.process.stdout.close()
        return self.process.wait(STOP_SECONDS)

    def run(self, *arguments: str) -> str:
        """Run another command of `lake` beside it, and return what it printed."""
        command = [sys.executable, "-m", "airflow_provider_lake.cli", *arguments, "--data-dir", str(self.data_dir)]
        command += ["--database", self.database_url] if self.database_url else []
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=60, check=True).stdout

    @property
    def log(self) -> str:
        """What it has written to its standard error."""
        return (self.data_dir.parent / f"{self.data_dir.name}.log").read_text()

    @property
    def token(self) -> str:
        """Token of its owner."""
        return (self.data_dir / "token").read_text().strip()

    @property
    def objects(self) -> Path:
        """Folder of its bucket."""
        return self.data_dir / "objects"

    def client(self) -> Client:
        """Return a client of its owner."""
        return Client(self.token, host=self.url)

    def connection(self, **changes: str) -> str:
        """Return an Airflow connection to it, as JSON."""
        return json.dumps({"conn_type": "lake", "host": self.url, "password": self.token} | changes)
