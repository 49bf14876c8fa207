"""A TCP proxy that breaks some of the exchanges it carries."""

import itertools
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto
from urllib.parse import urlsplit

BLOCK = 1 << 16


class Break(Enum):
    """How an exchange is broken."""

    REQUEST_LOST = auto()
    ANSWER_LOST = auto()
    ANSWER_CUT = auto()


Decide = Callable[[str, int], Break | None]


@contextmanager
def breaking_proxy(url: str, decide: Decide) -> Iterator[str]:
    """Carry exchanges to a lake; yield the URL to use in its place.

    :param url: the lake's own.
    :param decide: from the request line and the number of such requests before, how to break it; None: not at all.
    """
    counters: dict[str, Iterator[int]] = {}
    lock = threading.Lock()

    def decide_once(request_line: str) -> Break | None:
        with lock:
            number = next(counters.setdefault(request_line, itertools.count()))
        return decide(request_line, number)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            target = urlsplit(url)
            with socket.create_connection((target.hostname or "", target.port or 80)) as upstream:
                _carry(self.request, upstream, decide_once)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def _carry(client: socket.socket, upstream: socket.socket, decide: Callable[[str], Break | None]) -> None:
    """Carry the exchanges of one connection, one after the other, until one is to be broken."""
    broken: list[Break] = []

    def requests() -> None:
        while block := _receive(client):
            line, _, _ = block.partition(b"\r\n")
            if line.endswith(b"HTTP/1.1"):
                kind = decide(line.decode())
                if kind is Break.REQUEST_LOST:
                    break
                if kind:
                    broken.append(kind)
            upstream.sendall(block)
        _close(client, upstream)

    thread = threading.Thread(target=requests, daemon=True)
    thread.start()
    while block := _receive(upstream):
        if Break.ANSWER_CUT in broken:
            client.sendall(block[: len(block) // 2])
        if broken:
            break
        client.sendall(block)
    _close(client, upstream)
    thread.join()


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(BLOCK)
    except OSError:
        return b""


def _close(*connections: socket.socket) -> None:
    for connection in connections:
        # The other side may be faster.
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
