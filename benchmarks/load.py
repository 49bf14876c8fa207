"""A load generator that costs little: prepared requests over several connections, in one thread."""

import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_BLOCK = 1 << 20
_TIMEOUT_SECONDS = 60.0


@dataclass(slots=True)
class Load:
    """What came of a number of requests.

    :param seconds: from the first request to the last answer.
    :param latencies: of each request, in seconds, in the order of the answers.
    :param statuses: HTTP status to the number of its answers.
    """

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[bytes, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.latencies) / self.seconds

    def percentile(self, percent: float) -> float:
        """Return the latency, in milliseconds, that so many percent of the requests did not exceed."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def request_bytes(method: str, target: str, token: str, body: bytes = b"") -> bytes:
    """Return a whole HTTP request, ready to be sent."""
    head = (
        f"{method} {target} HTTP/1.1\r\nHost: lake\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def run_load(url: str, requests: Iterator[bytes], connections: int) -> Load:
    """Send requests, each connection its next one when it has its answer.

    :param url: base of the server.
    :raises RuntimeError: the server closed a connection, or was silent for a minute.
    """
    place = urlsplit(url)
    load = Load()
    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            connection = _Connection(socket.create_connection((place.hostname, place.port)), requests)
            if connection.send_next():
                selector.register(connection.socket, selectors.EVENT_READ, connection)
        started = time.perf_counter()
        while selector.get_map():
            ready = selector.select(_TIMEOUT_SECONDS)
            if not ready:
                raise RuntimeError("no answer for a minute")
            for key, _ in ready:
                if key.data.receive(load) and not key.data.send_next():
                    selector.unregister(key.data.socket)
                    key.data.socket.close()
        load.seconds = time.perf_counter() - started
    return load


class _Connection:
    """One connection with at most one request under way."""

    def __init__(self, connected: socket.socket, requests: Iterator[bytes]) -> None:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connected
        self._requests = requests
        self._received = bytearray()
        self._missing = 0
        self._sent_at = 0.0

    def send_next(self) -> bool:
        """Send the next request; False where there is none."""
        request = next(self._requests, None)
        if request is None:
            return False
        self._received.clear()
        self._missing = 0
        self._sent_at = time.perf_counter()
        self.socket.sendall(request)
        return True

    def receive(self, load: Load) -> bool:
        """Take what has come; True where that completes the answer."""
        block = self.socket.recv(_BLOCK)
        if not block:
            raise RuntimeError(f"the server closed the connection after {bytes(self._received[:200])!r}")
        if self._missing:
            self._missing -= len(block)
        else:
            self._received += block
            self._missing = _missing(self._received)
        if self._missing:
            return False
        load.latencies.append(time.perf_counter() - self._sent_at)
        status = bytes(self._received[9:12])
        load.statuses[status] = load.statuses.get(status, 0) + 1
        return True


def _missing(received: bytearray) -> int:
    """Return how many bytes an answer still lacks; 1 where its headers are not complete."""
    head, end, rest = received.partition(b"\r\n\r\n")
    if not end:
        return 1
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:]) - len(rest)
    return 0
