"""A proxy that carries connections to wherever a client asks it to, as those of companies do for TLS."""

import shutil
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socket import SHUT_WR, create_connection, socket


@contextmanager
def connect_proxy() -> Iterator[tuple[str, list[str]]]:
    """Serve the method CONNECT; give the proxy's URL and the list of targets, which grows with each connection."""
    targets: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        # What comes behind the head belongs to the target.
        rbufsize = 0

        def handle(self) -> None:
            method, target, _version = self.rfile.readline().decode().split()
            while self.rfile.readline().strip():
                pass
            targets.append(f"{method} {target}")
            host, _, port = target.rpartition(":")
            with create_connection((host, int(port))) as upstream:
                self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
                back = threading.Thread(target=_carry, args=(upstream, self.request), daemon=True)
                back.start()
                _carry(self.request, upstream)
                back.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", targets
        server.shutdown()


def _carry(source: socket, target: socket) -> None:
    """Carry bytes one way until there are no more."""
    with source.makefile("rb", buffering=0) as read, target.makefile("wb", buffering=0) as written:
        try:
            shutil.copyfileobj(read, written)
            target.shutdown(SHUT_WR)
        except OSError:
            return  # One end is gone, and with it the wish to hear more.
