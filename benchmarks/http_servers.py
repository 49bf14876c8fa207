"""Which server runs the embedded lake's application fastest? Granian beside uvicorn, in one run.

    python benchmarks/http_servers.py [--seconds 4] [--connections 16]

Both serve the same small FastAPI application on loopback: a JSON POST, answered by an `async def` and by a `def` route
(the latter runs in a thread), and an XGET. The load comes from one process of raw sockets. uvicorn runs with its h11
parser, because its other one refuses the method XGET.
"""

import argparse
import asyncio
import socket
import subprocess
import sys
import time
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel

BODY = b'{"name":"' + b"x" * 100 + b'"}'
SERVERS = {
    "granian": ["granian", "--interface", "asgi", "--no-ws", "--log-level", "error", "--port"],
    "uvicorn, h11": ["uvicorn", "--http", "h11", "--log-level", "error", "--port"],
}
START_SECONDS = 30

app = FastAPI()


class Body(BaseModel):
    """A small JSON body."""

    name: str


@app.post("/async")
async def answer_async(body: Body) -> dict[str, str]:
    """Answer on the event loop."""
    return {"name": body.name}


@app.post("/thread")
def answer_in_thread(body: Body) -> dict[str, str]:
    """Answer in a thread."""
    return {"name": body.name}


@app.api_route("/xget", methods=["XGET"])
async def answer_xget(body: Body) -> dict[str, str]:
    """Answer the wire's own method."""
    return {"name": body.name}


async def call_until(deadline: float, port: int, head: bytes) -> int:
    """Send one request after the other on one connection; return how many were answered with 200."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answered = 0
    while time.monotonic() < deadline:
        writer.write(head + BODY)
        status_line, *headers = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
        if b" 200" not in status_line:
            raise RuntimeError(status_line.decode())
        length = next(int(line.split(b":")[1]) for line in headers if line.startswith(b"content-length:"))
        await reader.readexactly(length)
        answered += 1
    writer.close()
    return answered


async def measure(port: int, method: str, path: str, seconds: float, connections: int) -> float:
    """Return requests per second over several connections."""
    head = (
        f"{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(BODY)}\r\n\r\n"
    )
    started = time.monotonic()
    counts = await asyncio.gather(*(call_until(started + seconds, port, head.encode()) for _ in range(connections)))
    return sum(counts) / (time.monotonic() - started)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def await_server(port: int) -> None:
    """Wait until a server listens."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def main() -> None:
    """Measure every server on every route, and print requests per second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--connections", type=int, default=16)
    arguments = parser.parse_args()
    for name, command in SERVERS.items():
        port = free_port()
        program = Path(sys.executable).with_name(command[0])
        if not program.exists():
            sys.exit(f"this benchmark needs {command[0]}; pip install {command[0]}")
        process = subprocess.Popen(
            [program, *command[1:], str(port), "http_servers:app"],
            cwd=Path(__file__).parent,
        )
        try:
            await_server(port)
            for method, path in (("POST", "/async"), ("POST", "/thread"), ("XGET", "/xget")):
                rate = asyncio.run(measure(port, method, path, arguments.seconds, arguments.connections))
                print(f"{name:14} {method:5} {path:8} {rate:8.0f} requests/s", flush=True)
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
