"""One HTTP server in one event loop: how it is set up, and how it ends."""

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
    """Return a server of an application; several processes may have one on the same port."""
    return Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        # What the tests speak; TLS would offer HTTP/2 too.
        http=HTTPModes.http1,
        backlog=_BACKLOG,
        websockets=False,
        log_enabled=False,
        ssl_cert=settings.tls_cert,
        ssl_key=settings.tls_key,
        ssl_protocol_min=SSLProtocols.tls12,
    )


async def run_server(server: Server, on_start: Callable[[Callable[[], None]], None]) -> None:
    """Serve until told to stop; requests that are being answered then have some seconds to finish.

    :param on_start: called at once with what stops the server, which is to be called in the same thread.
    """
    loop = asyncio.get_running_loop()
    serving = loop.create_task(server.serve())

    def stop() -> None:
        server.stop()  # type: ignore[no-untyped-call]  # granian's own
        # A client that neither sends nor reads any more would keep the lake from ending.
        loop.call_later(_FINISH_SECONDS, break_off)

    def break_off() -> None:
        # The server may complain that it is no longer waited for.
        loop.set_exception_handler(lambda _loop, _context: None)
        serving.cancel()

    on_start(stop)
    with suppress(asyncio.CancelledError):
        await serving


def run_in_loop(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine in an event loop of its own, which is libuv's."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)
