"""Events of triggers that wait, and their meaning for the worker that resumes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_lake.exceptions import LakePermanentError, LakeTriggerError, WaitTimeoutError
from airflow_provider_lake.hooks.connection import without_credentials

if TYPE_CHECKING:
    from airflow_provider_lake.client import LakeError

ENDED: Mapping[str, Any] = {"status": "ended"}
# Names of the client's transient errors; their constructor arguments are JSON.
_TRANSIENT = frozenset({"RateLimitedError", "ServerError", "TransportError", "UnauthorizedError"})


def timeout_event(message: str) -> dict[str, Any]:
    """Return the event of a wait that timed out."""
    return {"status": "timeout", "message": message}


def error_event(error: "LakeError") -> dict[str, Any]:
    """Return the event of a wait that ended with an error of the lake."""
    name = type(error).__name__
    if name not in _TRANSIENT:
        return {"status": "refused", "message": str(error)}
    return {"status": "outage", "message": str(error), "error": name, "arguments": _error_arguments(error)}


def require_ended(event: Mapping[str, Any] | None) -> None:
    """Return if the event reports a successful end of the wait; else raise the matching exception.

    :raises LakePermanentError: the lake refused the request.
    :raises WaitTimeoutError: the deadline has passed.
    :raises airflow_provider_lake.client.LakeError: an outage exceeded the budget; its last error, as a task that waits
        on a worker raises it.
    :raises LakeTriggerError: the event is not one of this provider.
    """
    match event:
        case {"status": "ended"}:
            return
        case {"status": "refused", "message": message}:
            raise LakePermanentError(message)
        case {"status": "timeout", "message": message}:
            raise WaitTimeoutError(message)
        case {"status": "outage", "error": str(name), "arguments": list(arguments)} if name in _TRANSIENT:
            from airflow_provider_lake.client import errors

            raise getattr(errors, name)(*arguments)
    raise LakeTriggerError(f"unexpected event {event!r}")


def _error_arguments(error: "LakeError") -> list[Any]:
    """Return the arguments that recreate the error, without its details, which may be long."""
    from airflow_provider_lake.client import ResponseError

    if isinstance(error, ResponseError):
        return [error.status, error.method, without_credentials(error.url), error.message, None, error.retry_after]
    return list(error.args)
