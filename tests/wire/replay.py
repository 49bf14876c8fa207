"""A lake that knows only the recorded exchanges: it gives each answer once, to exactly the recorded request."""

import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import NAMESPACE_URL, uuid5

RECORDED = [json.loads(line) for line in (Path(__file__).parent / "reference_exchanges.jsonl").read_text().splitlines()]
TOKEN = "tok"
# The headers that tell who asks; a request to object storage must not carry them.
IDENTITY_HEADERS = ("authorization", "x-picsellia-organization")


def id_of(name: str) -> str:
    """Return the id that stands for a name in braces of the recording."""
    return str(uuid5(NAMESPACE_URL, name))


@dataclass
class Replay:
    """Some of the recorded exchanges, to be asked for.

    :param url: where it listens.
    :param left: exchanges not asked for so far.
    :param unexpected: requests that were not recorded, or not that often.
    """

    url: str
    left: list[dict[str, Any]]
    unexpected: list[str]
    lock: threading.Lock

    def take(self, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the first exchange left whose request is this one, and cross it out."""
        with self.lock:
            for exchange in self.left:
                if _request_of(exchange) == request:
                    self.left.remove(exchange)
                    return exchange
            self.unexpected.append(f"{request}")
        return None


@contextmanager
def replayed(numbers: Sequence[int]) -> Iterator[Replay]:
    """Serve the exchanges of these lines of the recording; lines begin with 0."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    text = json.dumps([RECORDED[number] for number in numbers]).replace("{host}", url)
    concrete = re.sub(r"\{([\w.-]+)\}", lambda match: id_of(match[1]), text)
    server.replay = Replay(url, json.loads(concrete), [], threading.Lock())  # type: ignore[attr-defined]  # for the handler
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.replay  # type: ignore[attr-defined]  # set above
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _request_of(exchange: Mapping[str, Any]) -> dict[str, Any]:
    """Return what identifies an exchange's request; of bytes that are no JSON, only that there are some."""
    body = exchange["body"]
    return {
        "method": exchange["method"],
        "path": exchange["path"],
        "query": exchange["query"],
        "body": "bytes" if isinstance(body, str) else body,
        "headers": {name: exchange["headers"].get(name) for name in IDENTITY_HEADERS},
        "type": (exchange["headers"].get("content-type") or "").partition(";")[0],
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def log_message(self, *_arguments: object) -> None:
        """Stay silent."""

    def _answer(self) -> None:
        target = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_json = self.headers.get("Content-Type") == "application/json"
        body = json.loads(content) if is_json and content else "bytes" if content else None
        request = {
            "method": self.command,
            "path": target.path,
            "query": [list(pair) for pair in parse_qsl(target.query, keep_blank_values=True)],
            "body": body,
            "headers": {name: self.headers.get(name) for name in IDENTITY_HEADERS},
            "type": (self.headers.get("Content-Type") or "").partition(";")[0],
        }
        exchange = self.server.replay.take(request)  # type: ignore[attr-defined]  # set by replayed()
        status, answer = (
            (500, {"message": "not recorded"}) if exchange is None else (exchange["status"], exchange["response"])
        )
        encoded = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        if "/storage/part/" in target.path:
            self.send_header("ETag", f'"{target.path.rsplit("/", 1)[1]}"')
        if status != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        if status != 204:
            self.wfile.write(encoded)
