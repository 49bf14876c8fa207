"""Reads the header of an image before its upload."""

import logging

from airflow_provider_lake.client.transfers.files import LocalFile
from airflow_provider_lake.media.images import (
    ImageHeader,
    ImageUnsupportedError,
    NotAnImageError,
    read_header,
    warn_unsupported,
)

logger = logging.getLogger(__name__)


def read_image_header(local: LocalFile, *, with_metadata: bool = True) -> ImageHeader | None:
    """Return an image's header; None: it cannot be read here, and the lake decides whether to accept it.

    :param with_metadata: False: of its EXIF, read only the orientation.
    """
    try:
        return read_header(local.stream, with_metadata=with_metadata)
    except ImageUnsupportedError as error:
        warn_unsupported(logger, str(error), "they are uploaded without size and metadata")
    except (NotAnImageError, OSError):
        pass
    return None
