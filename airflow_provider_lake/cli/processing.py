"""`lake processing`: the commands that an embedded lake runs on its data."""

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from airflow_provider_lake.cli.errors import CommandError
from airflow_provider_lake.server.database import Database
from airflow_provider_lake.server.queries import processings
from airflow_provider_lake.server.settings import Settings
from airflow_provider_lake.server.tables import Organization, Processing


def register(
    data_dir: Path, database_url: str | None, name: str, command: Sequence[str], description: str | None
) -> int:
    """Register a command under a name, in place of what had that name; a running lake knows it at once.

    Files named relatively are found from here: the lake runs the command in a folder of its own.
    """
    command = [str(Path(word).absolute()) if Path(word).exists() else word for word in command]
    with _lake_of(data_dir, database_url) as session:
        organization_id = session.scalars(select(Organization.id)).one()
        processings.register(session, organization_id, name, command, description=description)
    print(f"processing {name!r} runs {shlex.join(command)}")
    return 0


def show(data_dir: Path, database_url: str | None) -> int:
    """Print the registered commands."""
    with _lake_of(data_dir, database_url) as session:
        for processing in session.scalars(select(Processing).order_by(Processing.name)):
            print(f"{processing.name}\t{shlex.join(processing.command) if processing.command else '(no command)'}")
    return 0


@contextmanager
def _lake_of(data_dir: Path, database_url: str | None) -> Iterator[Session]:
    settings = Settings(data_dir=data_dir, database_url=database_url)
    if not (data_dir / "signing.key").exists():
        raise CommandError(f"no lake in {data_dir}; start it once: lake serve --data-dir {data_dir}")
    database = Database(settings.sqlalchemy_url)
    try:
        with database.writing() as session:
            yield session
    finally:
        database.close()
