"""What a trigger that waits says when it fires, and what that means for the worker that resumes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_lake.exceptions import LakePermanentError, LakeTriggerError, WaitTimeoutError
from airflow_provider_lake.hooks.connection import without_credentials

if TYPE_CHECKING:
    from airflow_provider_lake.client import LakeError

ENDED: Mapping[str, Any] = {"status": "ended"}
# What a lake says that passes, and what such an error is made of: all of it JSON.
_TRANSIENT = frozenset({"RateLimitedError", "ServerError", "TransportError", "UnauthorizedError"})


def timeout_event(message: str) -> dict[str, Any]:
    """Return the event of a wait that was given up."""
    return {"status": "timeout", "message": message}


def error_event(error: "LakeError") -> dict[str, Any]:
    """Return the event of a wait that an error of the lake ended."""
    name = type(error).__name__
    if name not in _TRANSIENT:
        return {"status": "refused", "message": str(error)}
    return {"status": "outage", "message": str(error), "error": name, "arguments": _error_arguments(error)}


def require_ended(event: Mapping[str, Any] | None) -> None:
    """Let an event pass that says that what was waited for has come.

    :raises LakePermanentError: the lake refused to tell.
    :raises WaitTimeoutError: the deadline has passed.
    :raises airflow_provider_lake.client.LakeError: the lake did not answer for too long; the error with which it did
        not, as a task that waits on a worker raises it.
    :raises LakeTriggerError: the event is not one of ours.
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
    """Return what makes the same error again; its details may be long, and stay behind."""
    from airflow_provider_lake.client import ResponseError

    if isinstance(error, ResponseError):
        return [error.status, error.method, without_credentials(error.url), error.message, None, error.retry_after]
    return list(error.args)
