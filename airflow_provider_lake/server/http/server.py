"""The HTTP server: how it is configured, and how it stops."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import uvloop
from fastapi import FastAPI
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.server.embed import Server

from airflow_provider_lake.server.settings import Settings

_BACKLOG = 1024
_FINISH_SECONDS = 5.0


def make_server(app: FastAPI, settings: Settings, host: str, port: int) -> Server:
    """Return a server of an application; several processes may serve on the same port."""
    return Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        # The only version the tests cover; with TLS, HTTP/2 would be offered too.
        http=HTTPModes.http1,
        backlog=_BACKLOG,
        websockets=False,
        log_enabled=False,
        ssl_cert=settings.tls_cert,
        ssl_key=settings.tls_key,
        ssl_protocol_min=SSLProtocols.tls12,
    )


async def run_server(server: Server, on_start: Callable[[Callable[[], None]], None]) -> None:
    """Serve until stopped; requests in progress then have a few seconds to finish.

    :param on_start: called at once with a function that stops the server, to be called in the same thread.
    """
    loop = asyncio.get_running_loop()
    serving = loop.create_task(server.serve())

    def stop() -> None:
        server.stop()  # type: ignore[no-untyped-call]  # granian's own
        # A client that neither sends nor reads would keep the lake from stopping.
        loop.call_later(_FINISH_SECONDS, break_off)

    def break_off() -> None:
        # The cancelled server may report an error to the loop.
        loop.set_exception_handler(lambda _loop, _context: None)
        serving.cancel()

    on_start(stop)
    with suppress(asyncio.CancelledError):
        await serving


def run_in_loop(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine in a new event loop of uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)
