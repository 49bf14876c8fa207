"""Registrations of data past the layers of the application: of all requests these come in the greatest number."""

import json
import re
from collections.abc import Iterable
from uuid import UUID

from fastapi import Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airflow_provider_lake.server.context import Lake
from airflow_provider_lake.server.errors import BadRequestError
from airflow_provider_lake.server.http.auth.auth_cache import AuthCache, Authorization
from airflow_provider_lake.server.http.dependencies import authorization_key
from airflow_provider_lake.server.http.request_check import check_json
from airflow_provider_lake.server.http.routes.registrations import register
from airflow_provider_lake.server.http.schemas.data import DataBody
from airflow_provider_lake.server.work.registrar import Registrar

_PATH = re.compile(r"/api/datalake/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/datas")
_MAX_BODY_BYTES = 64 << 10


class QuickRegistrations:
    """ASGI middleware that answers good registrations of those who were let in a moment ago.

    Whatever is unusual about a request it leaves to the application, as if the request had just come. What goes wrong
    with a registration it leaves in ``request.state.failure``, for the application to answer.
    """

    def __init__(self, app: ASGIApp, lake: Lake, registrar: Registrar, auth_cache: AuthCache) -> None:
        self._app = app
        self._lake = lake
        self._registrar = registrar
        self._auth_cache = auth_cache

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        authorization = self._authorization_of(scope)
        if authorization is None:
            await self._app(scope, receive, send)
            return
        messages, content = await _receive_body(receive)
        answer = None if content is None else await self._answer(Request(scope), authorization, content)
        if answer is None:
            await self._app(scope, _again(messages, receive), send)
        else:
            await answer(scope, receive, send)

    def _authorization_of(self, scope: Scope) -> Authorization | None:
        """Return who registers a data; None: nobody who was let in, or the request is another one, or odd."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["query_string"]:
            return None
        path = _PATH.fullmatch(scope["path"])
        request = Request(scope)
        if path is None or request.headers.get("content-type") != "application/json":
            return None
        return self._auth_cache.find(authorization_key(request, UUID(path[1])))

    async def _answer(self, request: Request, authorization: Authorization, content: bytes) -> Response | None:
        try:
            given = json.loads(content)
            check_json(given)
            body = DataBody.model_validate(given)
        except (ValueError, RecursionError, BadRequestError):
            return None
        try:
            return await register(self._lake, self._registrar, authorization, body, request)
        except Exception as error:  # noqa: BLE001 - raised again in the application, which knows how to answer it
            request.state.failure = error
            return None


async def _receive_body(receive: Receive) -> tuple[list[Message], bytes | None]:
    """Return what was received, and the body; None: it did not come whole, or there is more than is read here."""
    messages, content = [], b""
    while True:
        message = await receive()
        messages.append(message)
        content += message.get("body", b"")
        if message["type"] != "http.request" or len(content) > _MAX_BODY_BYTES:
            return messages, None
        if not message.get("more_body"):
            return messages, content


def _again(messages: Iterable[Message], receive: Receive) -> Receive:
    """Return what receives these messages, and then what comes behind them."""
    received = iter(messages)

    async def receive_again() -> Message:
        return next(received, None) or await receive()

    return receive_again
