"""Checks of every request: it may contain nothing that a database or a JSON response cannot hold."""

import math
from typing import Any

from fastapi import Request

from airflow_provider_lake.server.errors import BadRequestError

MAX_DEPTH = 64
MAX_INTEGER = 2**63 - 1


async def check_request(request: Request) -> None:
    """Check the path, query and JSON body of a request.

    :raises BadRequestError: one of them is invalid; the message says why.
    """
    check_address(request)
    if not request.scope["path"].startswith("/api/"):
        return
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        return  # a route that needs a body rejects this one itself
    check_json(body)


def check_address(request: Request) -> None:
    """Make sure that path and query of a request can be worked with.

    :raises BadRequestError: they cannot; the message says why.
    """
    _check_text(request.scope["path"])
    for name, value in request.query_params.multi_items():
        _check_text(name)
        _check_text(value)


def check_json(value: Any, depth: int = 0) -> None:
    """Check that a JSON value can be stored and returned.

    :raises BadRequestError: it has a string that is not valid Unicode or has a NUL character, a number that is not
        finite, an integer beyond 64 bits, or is nested too deeply.
    """
    if depth > MAX_DEPTH:
        raise BadRequestError(f"the JSON has more than {MAX_DEPTH} values within each other")
    match value:
        case str():
            _check_text(value)
        case int() if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise BadRequestError("the JSON has an integer beyond 64 bits")
        case float() if not math.isfinite(value):
            raise BadRequestError("the JSON has a number that is not finite")
        case list():
            for each in value:
                check_json(each, depth + 1)
        case dict():
            for key, each in value.items():
                _check_text(key)
                check_json(each, depth + 1)


def _check_text(text: str) -> None:
    if "\0" in text:
        raise BadRequestError("the request has a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadRequestError("the request has a text that is no valid Unicode") from None
