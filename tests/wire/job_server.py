"""A server that has jobs and nothing else; the test says how they are, and sees who asks."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ORGANIZATION = "00000000-0000-4000-8000-00000000000f"
# How a job is at its nth look, from 1: a status, or an HTTP status and headers.
Look = Callable[[str, int], str | tuple[int, Mapping[str, str]]]


@dataclass
class JobServer:
    """What the server has seen.

    :param looks: how often each job was looked at.
    :param connections: how many came in.
    :param crowd: the most requests that were under way at one time.
    """

    url: str
    looks: Counter[str] = field(default_factory=Counter)
    connections: int = 0
    crowd: int = 0

    @property
    def connection(self) -> str:
        """An Airflow connection to it, as JSON; it names its organization, so nobody needs to ask."""
        extra = {"organization_id": ORGANIZATION}
        return json.dumps({"conn_type": "lake", "host": self.url, "password": "token", "extra": extra})


@contextmanager
def job_server(look: Look) -> Iterator[JobServer]:
    """Serve jobs.

    :param look: says how a job is; called in a thread of the request's own, so it may wait.
    """
    lock = threading.Lock()
    under_way = 0

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            with lock:
                seen.connections += 1

        def do_GET(self) -> None:
            nonlocal under_way
            job_id = self.path.rpartition("/")[2]
            with lock:
                under_way += 1
                seen.crowd = max(seen.crowd, under_way)
                seen.looks[job_id] += 1
                number = seen.looks[job_id]
            state = look(job_id, number)
            with lock:
                under_way -= 1
            status, headers = (200, {}) if isinstance(state, str) else state
            body = json.dumps({"id": job_id, "status": state}).encode() if isinstance(state, str) else b"{}"
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    seen = JobServer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
