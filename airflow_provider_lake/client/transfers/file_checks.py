"""Checks of a file before its upload: by its header only, or by decoding all of it."""

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

# Read headers only, or decode every pixel of images and every frame of videos.
CheckFiles = Literal["header", "decode"]

logger = logging.getLogger(__name__)


def check_option(check_files: str) -> None:
    """Check that this is a known way to check files.

    :raises UsageError: it is not.
    """
    if check_files not in get_args(CheckFiles):
        raise UsageError(f"check_files is one of {', '.join(get_args(CheckFiles))}, not {check_files!r}")


def read_metadata(local: LocalFile, *, with_metadata: bool) -> ImageHeader | VideoFacts | None:
    """Return what the header of an image or video contains; videos are read only if their metadata are requested.

    :return: None if the file cannot be read here: the lake decides whether to accept it.
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

    :raises UploadError: it is truncated, broken, unreadable or of an unknown format.
    """
    check = check_video if data_type_of(local.name) == "VIDEO" else check_image
    try:
        check(local.stream)
    except (NotAnImageError, NotAVideoError, ImageUnsupportedError, VideoUnsupportedError) as error:
        raise UploadError(local.path, str(error), error) from error
    except OSError as error:
        raise UploadError(local.path, f"cannot be read: {error.strerror}", error) from error
