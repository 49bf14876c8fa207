"""The platform's published client, held silent, connected to an embedded lake."""

import os
from pathlib import Path

from tests.lake_process import LakeProcess

# Read when it is imported: without the first it sets up logging for the whole process.
os.environ["PICSELLIA_SDK_CUSTOM_LOGGING"] = "1"
os.environ["TQDM_DISABLE"] = "1"

import picsellia
from picsellia.sdk.data import MultiData

__all__ = ["MultiData", "connect", "picsellia", "real_photos", "upload"]

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


def upload(datalake: picsellia.Datalake, paths: list[Path], **options: object) -> MultiData:
    """Upload files and wait until the lake has looked at each; its own wait looks every five seconds only."""
    uploaded = datalake.upload_data(paths, wait_for_unprocessable_data=False, **options)
    if isinstance(uploaded, picsellia.Data):
        uploaded = MultiData(uploaded.connection, datalake.id, [uploaded])
    uploaded.wait_for_upload_done(blocking_time_increment=0.02, attempts=1000)
    return uploaded
