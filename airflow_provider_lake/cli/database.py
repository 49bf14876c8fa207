"""Opens the database of a lake, for commands that may run while the lake does."""

import shlex
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from airflow_provider_lake.cli.errors import CommandError
from airflow_provider_lake.server.errors import ApiError
from airflow_provider_lake.server.settings import Settings
from airflow_provider_lake.server.store.database import Database, DatabaseKindError
from airflow_provider_lake.server.store.queries import accounts
from airflow_provider_lake.server.store.tables import Organization
from airflow_provider_lake.text.near_names import did_you_mean


@contextmanager
def open_database(data_dir: Path, database_url: str | None) -> Iterator[Session]:
    """Open a write transaction; a running lake sees the changes immediately.

    :raises CommandError: there is no lake, or it refuses the change.
    """
    settings = Settings(data_dir=data_dir, database_url=database_url)
    try:
        # SQLite would create a missing database.
        has_started = (data_dir / "signing.key").exists() and (database_url or settings.database_path.stat().st_size)
    except FileNotFoundError:
        has_started = False
    except OSError as error:
        raise CommandError(f"{data_dir} cannot be read: {error.strerror}") from error
    if not has_started:
        command = shlex.join(["lake", "serve", "--data-dir", str(data_dir)])
        raise CommandError(f"no lake in {data_dir}; start it once: {command}")
    try:
        url = settings.sqlalchemy_url
        with closing(Database(url)) as database, database.writing() as session:
            yield session
    except ApiError as error:
        raise CommandError(error.message) from error
    except (SQLAlchemyError, ModuleNotFoundError, DatabaseKindError) as error:
        reason = str(error).partition("\n")[0]
        raise CommandError(f"cannot use the database: {reason}") from error


def get_organization(session: Session, name: str) -> Organization:
    """Return the organization with a name.

    :raises CommandError: there is none.
    """
    organization = accounts.find_organization(session, name)
    if organization is None:
        near = did_you_mean(name, session.scalars(select(Organization.name)))
        makes = shlex.join(["lake", "user", "add", "NAME", "--organization", name])
        raise CommandError(f"no organization named {name!r}{near} ({makes} makes it)")
    return organization
