"""Serves one lake, by this process and, if configured, by further worker processes."""

import asyncio
import errno
import gc
import http.client
import logging
import signal
import socket
import ssl
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy.exc import SQLAlchemyError

from airflow_provider_lake.server.bootstrap import StartError, open_lake
from airflow_provider_lake.server.context import Lake
from airflow_provider_lake.server.http.app import create_app
from airflow_provider_lake.server.http.server import make_server, run_in_loop, run_server
from airflow_provider_lake.server.processes import ListenAddress, WorkerProcesses
from airflow_provider_lake.server.settings import Settings
from airflow_provider_lake.server.work.background import LocalBackground, dispatch

_START_SECONDS = 30.0
_PROBE_SECONDS = 0.01

logger = logging.getLogger(__name__)


class ServeError(Exception):
    """The lake cannot start; the message is one line that says why."""


def serve(settings: Settings, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; requests in progress then have a few seconds to finish.

    :param host: address to listen on.
    :param port: port to listen on; 0 takes a free one.
    :param on_ready: called once with the lake's URL, when the lake responds there.
    :raises ServeError: the port is in use, the host is not one of this machine, or the lake cannot be opened.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    _check_certificate(settings)
    port = _free_port(host, port)
    # The zone of an address (fe80::1%eth0) is escaped in a URL.
    netloc = f"[{host.replace('%', '%25')}]" if ":" in host else host
    url = f"{'https' if settings.tls_cert else 'http'}://{netloc}:{port}"
    try:
        with open_lake(settings) as lake:
            lake.address.url = settings.public_url or url
            _serve(lake, ListenAddress(host, port, url), on_ready)
    except StartError as error:
        raise ServeError(str(error)) from error
    except SQLAlchemyError as error:
        raise ServeError(f"cannot use the database: {_first_line(error)}") from error


def _serve(lake: Lake, address: ListenAddress, on_ready: Callable[[str], None]) -> None:
    background = LocalBackground(lake)
    server = make_server(create_app(lake, background), lake.settings, address.host, address.port)
    processes = WorkerProcesses(lake.settings.workers - 1, lake.settings, address, partial(dispatch, background))
    # Objects loaded by now stay alive: exempt them from garbage collection, whose scans would delay requests.
    gc.freeze()
    processes.start()
    try:
        run_in_loop(run_server(server, partial(_on_start, lake.settings, address, processes, on_ready)))
    finally:
        processes.stop()


def _check_certificate(settings: Settings) -> None:
    if settings.tls_cert is None:
        return
    for path in (settings.tls_cert, settings.tls_key):
        try:
            if path is not None and not path.read_bytes().strip():
                raise ServeError(f"{path} is empty")
        except OSError as error:
            raise ServeError(f"{path} cannot be read: {error.strerror}") from error
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # Without this, OpenSSL would prompt for the password of an encrypted key at the terminal.
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password="")
    except (OSError, ValueError) as error:
        files = f"{settings.tls_cert} with {settings.tls_key}"
        raise ServeError(f"cannot use {files}, a certificate and its key in PEM without a password: {error}") from error


def _on_start(
    settings: Settings,
    address: ListenAddress,
    processes: WorkerProcesses,
    on_ready: Callable[[str], None],
    stop: Callable[[], None],
) -> None:
    """Install signal handlers, and call ``on_ready`` when the server responds."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)

    def announce() -> None:
        processes.wait_until_ready(_START_SECONDS)
        _announce(address.url, settings.tls_cert, on_ready)

    loop.run_in_executor(None, announce)


def _announce(url: str, certificate: Path | None, on_ready: Callable[[str], None]) -> None:
    """Wait for the first response, then call ``on_ready``."""
    for _ in range(int(_START_SECONDS / _PROBE_SECONDS)):
        connection = _connection(url, certificate)
        try:
            connection.request("GET", "/api/home/ping")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            time.sleep(_PROBE_SECONDS)
        else:
            on_ready(url)
            return
        finally:
            connection.close()
    logger.error("nothing answers on %s", url)


def _connection(url: str, certificate: Path | None) -> http.client.HTTPConnection:
    place = urlsplit(url)
    host = unquote(place.hostname or "")
    if certificate is None:
        return http.client.HTTPConnection(host, place.port, timeout=_START_SECONDS)
    # The lake sends a request to itself: it trusts its own certificate, whatever host name that is for.
    context = ssl.create_default_context(cafile=str(certificate))
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return http.client.HTTPSConnection(host, place.port, timeout=_START_SECONDS, context=context)


def _free_port(host: str, port: int) -> int:
    """Return the port to bind. The server sets SO_REUSEPORT and would share a used port; this probe does not."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            bound: int = probe.getsockname()[1]
    except (socket.gaierror, UnicodeError):
        raise ServeError(f"no such host: {host}") from None
    except OSError as error:
        reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be bound: {error.strerror}"
        raise ServeError(f"{host}:{port} {reason}") from error
    return bound


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
