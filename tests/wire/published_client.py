"""The platform's published client, held silent, connected to an embedded lake."""

import os
from pathlib import Path

from tests.lake_process import LakeProcess

# Read when it is imported: without the first it sets up logging for the whole process.
os.environ["PICSELLIA_SDK_CUSTOM_LOGGING"] = "1"
os.environ["TQDM_DISABLE"] = "1"

import picsellia

__all__ = ["PHOTOS", "connect", "picsellia", "real_photos"]

# Real photos of many cameras: beside the checkout where it is developed, nowhere else.
PHOTOS = Path(__file__).parents[3] / "shared" / "photos"


def connect(lake: LakeProcess, **organization: str) -> picsellia.Client:
    """Connect as the lake's owner.

    :param organization: its ``organization_id`` or ``organization_name``; without any it is the default one.
    """
    return picsellia.Client(lake.token, host=lake.url, **organization)


def real_photos() -> list[Path]:
    """Return the real photos; none where there are none."""
    return sorted(PHOTOS.glob("*.jpg"))
