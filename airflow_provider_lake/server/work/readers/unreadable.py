"""Why an object cannot become a data: the same messages for uploads and imports."""

import logging

from airflow_provider_lake.media.images import ImageUnsupportedError, NotAnImageError
from airflow_provider_lake.media.video import NotAVideoError, VideoUnsupportedError
from airflow_provider_lake.server.errors import BadRequestError, UnavailableError, is_transient

logger = logging.getLogger(__name__)

EMPTY = "the file is empty"


def failure_reason(error: Exception, object_name: str, *, missing: str) -> str:
    """Return why an object cannot be a data.

    :param missing: the reason if there is no such object.
    :raises UnavailableError: it may be read later.
    """
    match error:
        case UnavailableError():
            raise error
        case FileNotFoundError():
            return missing
        case BadRequestError():
            return error.message
        case NotAnImageError() | NotAVideoError() | ImageUnsupportedError() | VideoUnsupportedError():
            return str(error)
        case OSError() if is_transient(error):
            raise UnavailableError(f"the objects cannot be read: {error.strerror}") from error
        case OSError():
            return f"the object cannot be read: {error.strerror or error}"
    # An unexpected error of one object must not block the others.
    logger.error("cannot read the object %r", object_name, exc_info=error)
    return f"the object cannot be read: {error}"
