"""A real PostgreSQL server for tests, on loopback."""

import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Self

from sqlalchemy import create_engine, text

_START_SECONDS = 60
# Debian puts its programs beside the path.
_PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
# It refuses to run as root; Debian's package brings a user for it.
_AS_SOMEBODY_ELSE = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []

IS_MISSING = _PROGRAMS is None and shutil.which("initdb") is None


class PostgresServer:
    """A server that lives as long as the block; what it holds need not survive, so it syncs nothing.

    :param folder: one that does not exist, for its files; everybody must be able to reach it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._databases = 0
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]

    def __enter__(self) -> Self:
        """Make it, start it, and wait until it answers."""
        self._folder.mkdir()
        if _AS_SOMEBODY_ELSE:
            shutil.chown(self._folder, "postgres", "postgres")
        self._run(
            "initdb",
            "--pgdata",
            self._data,
            "--auth",
            "trust",
            "--username",
            "lake",
            "--encoding",
            "UTF8",
            "--locale",
            "C",
            "--no-sync",
        )
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop it."""
        self.stop()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self._port,
            "unix_socket_directories": "",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
        }
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        self._run("pg_ctl", "--pgdata", self._data, "--log", f"{self._folder}/log", "-o", options, "-w", "start")

    def stop(self) -> None:
        """Stop it; whoever is connected is disconnected."""
        self._run("pg_ctl", "--pgdata", self._data, "--mode", "fast", "stop")

    def new_database(self) -> str:
        """Create an empty database, and return its URL."""
        self._databases += 1
        name = f"lake{self._databases}"
        engine = create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return self._url(name)

    @property
    def _data(self) -> str:
        return f"{self._folder}/data"

    def _url(self, database: str) -> str:
        return f"postgresql+psycopg://lake@127.0.0.1:{self._port}/{database}"

    def _run(self, program: str, *arguments: str) -> None:
        path = str(_PROGRAMS / program) if _PROGRAMS else program
        # The server inherits its output, so a pipe would never end.
        with (self._folder.parent / f"{program}.log").open("wb") as log:
            command = [*_AS_SOMEBODY_ELSE, path, *arguments]
            code = subprocess.run(
                command, cwd="/", stdout=log, stderr=log, timeout=_START_SECONDS, check=False
            ).returncode
        assert code == 0, Path(log.name).read_text()
