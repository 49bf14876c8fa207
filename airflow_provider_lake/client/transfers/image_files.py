"""What an image says of itself, before it is uploaded."""

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
    """Return what an image's header tells; None: it cannot be read here, and the lake is the judge of it.

    :param with_metadata: False: only what turns the image is read of its EXIF.
    """
    try:
        return read_header(local.stream, with_metadata=with_metadata)
    except ImageUnsupportedError as error:
        warn_unsupported(logger, str(error), "they are uploaded without size and metadata")
    except (NotAnImageError, OSError):
        pass
    return None
