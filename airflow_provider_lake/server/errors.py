"""Errors that become HTTP responses; raised below the routes, written by one handler.

Every such response has the body ``{"message": str}``, and ``detail`` where there are details.
"""

import errno
from typing import Any, ClassVar

# Error numbers about the state of the machine, not about the request.
_TRANSIENT = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM})


class ApiError(Exception):
    """A response other than success."""

    status: ClassVar[int] = 500

    def __init__(self, message: str, detail: Any = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.headers = headers

    def body(self) -> dict[str, Any]:
        """The response's JSON body."""
        return {"message": self.message} | ({} if self.detail is None else {"detail": self.detail})


class BadRequestError(ApiError):
    """The request cannot be understood or contradicts the lake's state."""

    status = 400


class UnauthorizedError(ApiError):
    """No token, or one that the lake does not know."""

    status = 401


class ForbiddenError(ApiError):
    """The token, or the signature of a URL, does not allow this."""

    status = 403


class NotFoundError(ApiError):
    """The resource does not exist, or belongs to another organization."""

    status = 404


class ConflictError(ApiError):
    """The name is taken, or the state does not allow this step."""

    status = 409


class TooLargeError(ApiError):
    """A body larger than allowed."""

    status = 413


class TooManyRequestsError(ApiError):
    """Too many attempts in too short a time."""

    status = 429


class UnavailableError(ApiError):
    """The object storage cannot be reached, or rejects requests; a later attempt may succeed."""

    status = 503


def is_transient(error: OSError) -> bool:
    """Whether an error comes from the state of the machine, so that the same operation may work later."""
    return error.errno in _TRANSIENT
