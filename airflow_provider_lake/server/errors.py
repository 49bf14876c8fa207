"""Errors that the lake answers; raised below the routes, written by one handler.

Every answer has the body ``{"message": str}``, and ``detail`` where there is more to say.
"""

from typing import Any, ClassVar


class ApiError(Exception):
    """An answer other than success."""

    status: ClassVar[int] = 500

    def __init__(self, message: str, detail: Any = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.headers = headers

    def body(self) -> dict[str, Any]:
        """The answer's JSON."""
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
    """The thing does not exist, or belongs to another organization."""

    status = 404


class ConflictError(ApiError):
    """The name is taken, or the state does not allow this step."""

    status = 409


class TooLargeError(ApiError):
    """A body larger than allowed."""

    status = 413


class UnavailableError(ApiError):
    """The object storage cannot be reached, or refuses; later it may not."""

    status = 503
