"""What happens at each start of a lake: its folder, secrets, tables and first rows."""

import fcntl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from uuid import UUID

from alembic.util import CommandError
from sqlalchemy import select
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session

from airflow_provider_lake.server.blobs.base import BlobStore
from airflow_provider_lake.server.blobs.folder import FolderStore
from airflow_provider_lake.server.blobs.signing import UrlSigner
from airflow_provider_lake.server.blobs.stores import Stores
from airflow_provider_lake.server.context import Address, Lake
from airflow_provider_lake.server.errors import ApiError, UnavailableError
from airflow_provider_lake.server.secret_files import SecretFileError, read_or_create_key, read_or_create_token
from airflow_provider_lake.server.settings import Settings
from airflow_provider_lake.server.store.database import Database, DatabaseKindError
from airflow_provider_lake.server.store.migrations import upgrade
from airflow_provider_lake.server.store.queries import accounts, processings, tokens, uploads
from airflow_provider_lake.server.store.tables import Organization, utc_now

# The first organization, and its user.
ORGANIZATION = "local"
OWNER = "owner"
# Parts of older uploads are removed at the next start.
_LONGEST_UPLOAD = timedelta(days=7)


class StartError(Exception):
    """The lake cannot be opened; the message is one line with the reason."""


@contextmanager
def open_lake(settings: Settings) -> Iterator[Lake]:
    """Open a lake for the duration of the block; no other program can open it meanwhile.

    :raises StartError: the folder cannot be created or written, another lake runs on it, or the storage cannot be used.
    """
    with _lock(settings), closing(_open_database(settings)) as database:
        first = _prepare(database, settings)
        with _lake(settings, database, first) as lake:
            if isinstance(lake.stores.root, FolderStore):
                lake.stores.root.discard_incoming()
                _discard_old_uploads(database, lake.stores.root)
            yield lake


@contextmanager
def join_lake(settings: Settings) -> Iterator[Lake]:
    """Open a lake that another process has opened, and which stays open longer than the block."""
    with closing(_open_database(settings)) as database:
        with database.reading() as session:
            first = accounts.find_organization(session, ORGANIZATION)
        if first is None:
            raise StartError("nobody has opened this lake before")
        with _lake(settings, database, first.id) as lake:
            yield lake


@contextmanager
def _lake(settings: Settings, database: Database, first: UUID) -> Iterator[Lake]:
    try:
        signer = UrlSigner(read_or_create_key(settings.data_dir / "signing.key"), settings.url_lifetime)
    except SecretFileError as error:
        raise StartError(str(error)) from error
    lake = Lake(settings, database, Stores(_open_store(settings, signer), first), signer, Address())
    with closing(lake.images), closing(lake.media):
        yield lake


@contextmanager
def _lock(settings: Settings) -> Iterator[None]:
    data_dir = settings.data_dir
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if settings.storage_url is None:
            settings.objects_dir.mkdir(exist_ok=True)
            settings.staging_dir.mkdir(exist_ok=True)
        lock = (data_dir / "lock").open("w")
    except OSError as error:
        raise StartError(f"cannot use the folder {data_dir}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(f"another lake runs on the folder {data_dir}") from None
        yield


def _open_database(settings: Settings) -> Database:
    try:
        return Database(settings.sqlalchemy_url, is_shared=settings.workers > 1)
    except DatabaseKindError as error:
        raise StartError(str(error)) from None
    except ArgumentError:
        raise StartError("the database is no SQLAlchemy URL like postgresql+psycopg://USER@HOST/NAME") from None
    except ModuleNotFoundError as error:
        raise StartError(f"{error}; for PostgreSQL install airflow-provider-lake[postgres]") from error


def _open_store(settings: Settings, signer: UrlSigner) -> BlobStore:
    if settings.storage_url is None:
        return FolderStore(settings.objects_dir, settings.staging_dir, signer)
    from airflow_provider_lake.server.blobs.s3 import S3Store  # noqa: PLC0415 - boto3 loads slowly, and not all need it

    try:
        store = S3Store.from_url(settings.storage_url, settings.url_lifetime)
        store.check()
    except (ValueError, UnavailableError) as error:
        raise StartError(str(error)) from error
    return store


def _prepare(database: Database, settings: Settings) -> UUID:
    """Bring the tables up to date and add the first rows; return the id of the first organization."""
    try:
        upgrade(database.engine)
        with database.writing() as session:
            return _seed(session, settings)
    except CommandError as error:
        raise StartError(f"the database is not one of this version of the lake: {error}") from error
    except ApiError as error:
        raise StartError(error.message) from error
    except SecretFileError as error:
        raise StartError(str(error)) from error


def _discard_old_uploads(database: Database, store: FolderStore) -> None:
    with database.reading() as session:
        store.discard_parts(uploads.list_under_way(session, utc_now() - _LONGEST_UPLOAD))


def _seed(session: Session, settings: Settings) -> UUID:
    """Add the first organization and its owner, if they are missing, and return the organization's id."""
    organization = accounts.find_organization(session, ORGANIZATION)
    if organization is None:
        organization = accounts.create_organization(session, ORGANIZATION)
        accounts.create_user(session, OWNER, organization)
    owner = accounts.get_user(session, OWNER)
    token = settings.token or read_or_create_token(settings.token_path)
    tokens.set_owner_token(session, owner.id, organization.id, tokens.digest_of(token))
    for organization_id in session.scalars(select(Organization.id)):
        for name, command in settings.builtin_processings.items():
            processings.register(session, organization_id, name, list(command))
    return organization.id
