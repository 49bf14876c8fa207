"""The settings of an embedded lake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import URL, make_url


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of an embedded lake; it reads no environment variables or configuration files.

    :param data_dir: folder of this lake: database, stored objects, token; created if missing, only for its owner.
    :param database_url: SQLAlchemy URL; None: SQLite at ``data_dir/lake.db``.
    :param storage_url: ``s3://bucket/prefix`` of the stored objects; None: the folder ``data_dir/objects``.
    :param token: API token of the owner; None: the one in ``data_dir/token``, created at the first start.
    :param public_url: base of the URLs that the lake returns; None: the one that the client's request used.
    :param tls_cert: PEM file of the certificate and its chain; None: plain HTTP.
    :param tls_key: PEM file of the certificate's private key.
    :param workers: processes that serve requests.
    :param job_slots: jobs that run at the same time.
    :param url_lifetime: how long a signed upload or download URL is valid.
    :param job_lease: how long a runner may fail to renew its lease before its job counts as orphaned.
    :param builtin_processings: name to command line of the processings that every organization has.
    """

    data_dir: Path
    database_url: str | None = None
    storage_url: str | None = None
    token: str | None = field(default=None, repr=False)
    public_url: str | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    workers: int = 1
    job_slots: int = 2
    url_lifetime: timedelta = timedelta(hours=1)
    job_lease: timedelta = timedelta(seconds=30)
    builtin_processings: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def sqlalchemy_url(self) -> URL:
        """URL of the database; the folder may have any name.

        :raises sqlalchemy.exc.ArgumentError: ``database_url`` is not a URL.
        """
        if self.database_url is not None:
            return make_url(self.database_url)
        return URL.create("sqlite", database=str(self.database_path.resolve()))

    @property
    def database_path(self) -> Path:
        """File of the SQLite database in the lake's folder."""
        return self.data_dir / "lake.db"

    @property
    def objects_dir(self) -> Path:
        """Folder of the stored objects, the lake's bucket: one file each, at its object name."""
        return self.data_dir / "objects"

    @property
    def staging_dir(self) -> Path:
        """Folder of incomplete uploads; on the file system of the objects, so that a rename publishes them."""
        return self.data_dir / "staging"

    @property
    def token_path(self) -> Path:
        """File of the owner's token, readable by its owner only."""
        return self.data_dir / "token"
