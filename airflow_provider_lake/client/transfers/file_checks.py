"""What is looked at in a file before it is uploaded: what it tells of itself, or all that it holds."""

import logging
from typing import Literal, get_args

from airflow_provider_lake.client.errors import UploadError, UsageError
from airflow_provider_lake.client.transfers.files import LocalFile
from airflow_provider_lake.client.transfers.image_files import read_image_header
from airflow_provider_lake.media.decoding import check_image
from airflow_provider_lake.media.images import ImageHeader, ImageUnsupportedError, NotAnImageError, warn_unsupported
from airflow_provider_lake.media.kinds import data_type_of, kind_of
from airflow_provider_lake.media.video import (
    NotAVideoError,
    VideoFacts,
    VideoUnsupportedError,
    check_video,
    read_video,
)

# Headers only, or every pixel of images and every picture of videos.
CheckFiles = Literal["header", "decode"]

logger = logging.getLogger(__name__)


def check_option(check_files: str) -> None:
    """Make sure that it is a way to check files.

    :raises UsageError: it is not one.
    """
    if check_files not in get_args(CheckFiles):
        raise UsageError(f"check_files is one of {', '.join(get_args(CheckFiles))}, not {check_files!r}")


def read_metadata(local: LocalFile, *, with_metadata: bool) -> ImageHeader | VideoFacts | None:
    """Return what the header of an image tells, or that of a video, which is read only for its metadata.

    :return: None for what cannot be read: the lake is the judge of that.
    """
    kind = kind_of(local.name)
    if kind == "IMAGE":
        return read_image_header(local, with_metadata=with_metadata)
    if kind != "VIDEO" or not with_metadata:
        return None
    try:
        return read_video(local.stream)
    except VideoUnsupportedError as error:
        warn_unsupported(logger, str(error), "they are uploaded without the metadata that they carry")
    except (NotAVideoError, OSError):
        pass
    return None


def decode(local: LocalFile) -> None:
    """Decode all of a file.

    :raises UploadError: it is cut or broken, of no format that is known here, or it cannot be read.
    """
    check = check_video if data_type_of(local.name) == "VIDEO" else check_image
    try:
        check(local.stream)
    except (NotAnImageError, NotAVideoError, ImageUnsupportedError, VideoUnsupportedError) as error:
        raise UploadError(local.path, str(error), error) from error
    except OSError as error:
        raise UploadError(local.path, f"cannot be read: {error.strerror}", error) from error
