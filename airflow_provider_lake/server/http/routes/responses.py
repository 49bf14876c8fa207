"""Answers that may be long."""

from typing import Any

import orjson
from fastapi import Response


def json_response(content: Any, status: int = 200) -> Response:
    """Return an answer of JSON, written as it is: nothing checks it against a schema."""
    return Response(orjson.dumps(content), status, media_type="application/json")
