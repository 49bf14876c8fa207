"""JSON responses, which may be long."""

from typing import Any

import orjson
from fastapi import Response


def json_response(content: Any, status: int = 200) -> Response:
    """Return a JSON response, without validation against a schema."""
    return Response(orjson.dumps(content), status, media_type="application/json")
