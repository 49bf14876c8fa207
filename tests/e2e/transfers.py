"""What uploads send to a lake, seen on its way."""

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.fault_proxy import FaultProxy

WAIT_SECONDS = 300
_FILE = re.compile(rb'name="file"; filename="([^"]+)"')
_REGISTRATION = re.compile(rb"POST /api/datalake/[^/]+/datas HTTP")


class Transfers:
    """Counts the exchanges of uploads, and lets a test wait for how far they have come."""

    def __init__(self) -> None:
        self.exchanges = 0
        self.sent: Counter[str] = Counter()
        self.registered: set[str] = set()
        self._changed = threading.Condition()

    def see(self, request: bytes) -> None:
        """Count a request."""
        with self._changed:
            self.exchanges += 1
            if file := _FILE.search(request):
                self.sent[file[1].decode()] += 1
            elif _REGISTRATION.match(request):
                self.registered.add(json.loads(request.partition(b"\r\n\r\n")[2])["filename"])
            self._changed.notify_all()

    def wait_for(self, files: int, exchanges: int) -> None:
        """Wait until so many files have been registered, and then for some more exchanges."""
        self._await(lambda: len(self.registered) >= files)
        enough = self.exchanges + exchanges
        self._await(lambda: self.exchanges >= enough)

    def _await(self, happened: Callable[[], bool]) -> None:
        with self._changed:
            if not self._changed.wait_for(happened, WAIT_SECONDS):
                raise AssertionError(f"uploads stand still at {len(self.registered)} registered files")


@contextmanager
def transfers_through(network: FaultProxy) -> Iterator[Transfers]:
    """Count what goes through a proxy."""
    transfers = Transfers()
    network.watch = transfers.see
    try:
        yield transfers
    finally:
        network.watch = None
