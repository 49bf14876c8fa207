"""Responses to failures of the machine: a full disk, a folder that cannot be written, a lost database.

None needs a restart: the lake works again once the cause is gone.
"""

import errno
import logging

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

FULL = "the disk of the lake is full"
READ_ONLY = "the folder of the lake cannot be written"
FORBIDDEN = "the lake may not use a file of its own folder"
BUSY = "the lake is busy: too many requests wait for its database"
_BUSY_SECONDS = 5

_STATUSES = {
    errno.ENOSPC: (507, FULL),
    errno.EDQUOT: (507, FULL),
    errno.EFBIG: (507, FULL),
    errno.EROFS: (503, READ_ONLY),
    errno.EACCES: (503, FORBIDDEN),
    errno.EPERM: (503, FORBIDDEN),
    errno.EIO: (503, "the disk of the lake fails"),
    errno.EMFILE: (503, "the lake has too many files open"),
    errno.ENFILE: (503, "the machine of the lake has too many files open"),
}
# The same failures by SQLite's names.
_SQLITE_STATUSES = {"SQLITE_FULL": (507, FULL), "SQLITE_READONLY": (503, READ_ONLY), "SQLITE_BUSY": (503, BUSY)}

logger = logging.getLogger(__name__)


def add_failure_handlers(app: FastAPI) -> None:
    """Register the handlers for failures of the machine."""
    app.add_exception_handler(OSError, _handle_os_error)
    app.add_exception_handler(PoolTimeoutError, _handle_busy)
    app.add_exception_handler(OperationalError, _handle_lost_database)
    app.add_exception_handler(InterfaceError, _handle_lost_database)


def _handle_os_error(request: Request, error: Exception) -> JSONResponse:
    number = error.errno if isinstance(error, OSError) else None
    if number not in _STATUSES:
        raise error
    return _respond(request, error, *_STATUSES[number])


def _handle_busy(request: Request, error: Exception) -> JSONResponse:
    response = _respond(request, error, 503, BUSY)
    response.headers["Retry-After"] = str(_BUSY_SECONDS)
    return response


def _handle_lost_database(request: Request, error: Exception) -> JSONResponse:
    lost = (503, "the database cannot be used; the log of the lake has the details")
    cause = error.orig if isinstance(error, DBAPIError) else None
    # Extended result codes have a suffix after these names.
    name = "_".join(str(getattr(cause, "sqlite_errorname", "")).split("_")[:2])
    return _respond(request, error, *_SQLITE_STATUSES.get(name, lost))


def _respond(request: Request, error: Exception, status: int, message: str) -> JSONResponse:
    logger.error("%s %s failed: %s", request.method, request.url.path, error)
    return JSONResponse({"message": message}, status)
