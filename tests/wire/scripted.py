"""A server that gives prepared answers in their order, and remembers what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Given:
    """A prepared answer.

    :param body: sent as JSON, unless it is bytes.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """A request as it came in.

    :param port: the other end of the connection.
    """

    method: str
    path: str
    headers: Message
    body: bytes
    port: int


@dataclass
class Script:
    """What is answered, and what was asked.

    :param url: where the server listens.
    :param answers: to be given next; more may be added while it runs.
    :param places: where the answer depends on what is asked and not on the order: the end of the path to what makes it.
    """

    url: str
    answers: list[Given]
    places: dict[str, Callable[[Asked], Given]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def scripted(*answers: Given) -> Iterator[Script]:
    """Serve prepared answers."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self.answer
            raise AttributeError(name)

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(self.command, self.path, self.headers, body, self.client_address[1])
            script.asked.append(asked)
            place = script.places.get(self.path.rpartition("/")[2])
            given = place(asked) if place else script.answers.pop(0)
            content = given.body if isinstance(given.body, bytes) else json.dumps(given.body).encode()
            self.send_response(given.status)
            for name, value in ({"Content-Length": str(len(content))} | dict(given.headers)).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    script = Script(f"http://127.0.0.1:{server.server_address[1]}", list(answers))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
