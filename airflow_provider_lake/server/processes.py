"""Worker processes: further processes that serve one lake. Background work runs only in the first process."""

import asyncio
import gc
import logging
import math
import multiprocessing
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from airflow_provider_lake.server.bootstrap import join_lake
from airflow_provider_lake.server.http.app import create_app
from airflow_provider_lake.server.http.server import make_server, run_in_loop, run_server
from airflow_provider_lake.server.settings import Settings
from airflow_provider_lake.server.work.background import Message, RemoteBackground

# The time a process has to finish its requests: five seconds for its server, and as long again for its writers.
_END_SECONDS = 10.0
_POLL_SECONDS = 1.0
# A process that keeps ending at once is restarted no more often than this.
_RESTART_SECONDS = 1.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """The one address on which all processes of a lake listen.

    :param url: base URL of the lake.
    """

    host: str
    port: int
    url: str


class WorkerProcesses:
    """The worker processes. Each ends with the first process, however that ends; one that ends earlier is replaced.

    :param on_message: called with each message from a worker process.
    """

    def __init__(
        self, count: int, settings: Settings, address: ListenAddress, on_message: Callable[[Message], None]
    ) -> None:
        self._settings = settings
        self._address = address
        self._on_message = on_message
        self._stop = threading.Event()
        self._stop_by = math.inf
        self._ready = [threading.Event() for _ in range(count)]
        names = [f"worker-process-{number}" for number in range(1, count + 1)]
        self._threads = [
            threading.Thread(target=self._supervise, args=(ready,), name=name)
            for ready, name in zip(self._ready, names, strict=True)
        ]
        self._connections: set[Connection] = set()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the processes."""
        for thread in self._threads:
            thread.start()

    def wait_until_ready(self, timeout: float) -> None:
        """Return once all are about to serve requests, or after ``timeout`` seconds for each."""
        for ready in self._ready:
            ready.wait(timeout)

    def stop(self) -> None:
        """Stop the processes; each finishes its current requests."""
        self._stop_by = time.monotonic() + _END_SECONDS
        self._stop.set()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):  # it has already ended
                    connection.send(None)
        for thread in self._threads:
            thread.join()

    def _supervise(self, ready: threading.Event) -> None:
        """Keep one process running, and receive its messages."""
        while not self._stop.is_set():
            process, connection = self._start_process()
            with suppress(EOFError, OSError):
                self._listen(connection, ready)
            self._stop_process(process, connection)
            if not self._stop.is_set():
                logger.error("a process of the lake has ended with code %s; another takes its place", process.exitcode)
                self._stop.wait(_RESTART_SECONDS)

    def _listen(self, connection: Connection, ready: threading.Event) -> None:
        """Receive messages until the process has ended, or its time to end is over."""
        while time.monotonic() < self._stop_by:
            if connection.poll(_POLL_SECONDS):
                message = connection.recv()
                if message["what"] == "ready":
                    ready.set()
                self._on_message(message)

    def _start_process(self) -> tuple[SpawnProcess, Connection]:
        parent_end, child_end = multiprocessing.Pipe()
        arguments = (self._settings, self._address, child_end)
        process = multiprocessing.get_context("spawn").Process(target=_serve_requests, args=arguments, name="lake")
        with self._lock:
            process.start()
            child_end.close()
            if self._stop.is_set():
                parent_end.send(None)
            self._connections.add(parent_end)
        return process, parent_end

    def _stop_process(self, process: SpawnProcess, connection: Connection) -> None:
        with self._lock:
            self._connections.discard(connection)
            connection.close()
        process.join(_POLL_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()


def _serve_requests(settings: Settings, address: ListenAddress, connection: Connection) -> None:
    """Serve requests until the first process sends the signal to stop, or ends."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Ctrl-C in a terminal reaches all processes; the first one stops the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with join_lake(settings) as lake:
        lake.address.url = settings.public_url or address.url
        app = create_app(lake, RemoteBackground(connection))
        gc.freeze()
        run_in_loop(run_server(make_server(app, settings, address.host, address.port), _wait_for_stop(connection)))


def _wait_for_stop(connection: Connection) -> Callable[[Callable[[], None]], None]:
    def listen(stop: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()

        def on_readable() -> None:
            loop.remove_reader(connection.fileno())
            stop()

        # The only message is the one to stop; the end of the connection means the same.
        loop.add_reader(connection.fileno(), on_readable)

    return listen
