"""The parts of a running lake that every other module uses."""

from dataclasses import dataclass, field

from airflow_provider_lake.server.blobs.signing import UrlSigner
from airflow_provider_lake.server.blobs.stores import Stores
from airflow_provider_lake.server.settings import Settings
from airflow_provider_lake.server.store.counts import CountCache
from airflow_provider_lake.server.store.database import Database
from airflow_provider_lake.server.work.readers.image_reader import ImageReader
from airflow_provider_lake.server.work.readers.media_reader import MediaReader


@dataclass(slots=True)
class Address:
    """Where the lake listens.

    :param url: its base URL; None until the port is bound.
    """

    url: str | None = None


@dataclass(frozen=True, slots=True)
class Lake:
    """The parts of one lake."""

    settings: Settings
    database: Database
    stores: Stores
    signer: UrlSigner
    address: Address
    count_cache: CountCache = field(default_factory=CountCache)
    images: ImageReader = field(default_factory=ImageReader)
    media: MediaReader = field(default_factory=MediaReader)
