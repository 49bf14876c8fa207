"""`lake processing`: the commands that an embedded lake runs on its data."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select

from airflow_provider_lake.cli.commands import checked_command
from airflow_provider_lake.cli.database import get_organization, open_database
from airflow_provider_lake.server.store.queries import processings
from airflow_provider_lake.server.store.tables import Processing


def register(
    data_dir: Path,
    database_url: str | None,
    organization_name: str,
    name: str,
    command: Sequence[str],
    description: str | None,
) -> int:
    """Register a command under a name, replacing an existing one; a running lake sees it immediately.

    Relative filenames are resolved against the current folder: the lake runs the command in a folder of its own.

    :raises CommandError: the command cannot be run, or the organization does not exist.
    """
    command = checked_command(command)
    with open_database(data_dir, database_url) as session:
        organization = get_organization(session, organization_name)
        processings.register(session, organization.id, name, command, description=description)
    print(f"processing {name!r} runs {shlex.join(command)}")
    return 0


def show(data_dir: Path, database_url: str | None, organization_name: str) -> int:
    """Print the registered commands of an organization."""
    with open_database(data_dir, database_url) as session:
        organization = get_organization(session, organization_name)
        of_organization = select(Processing).where(Processing.organization_id == organization.id)
        for processing in session.scalars(of_organization.order_by(Processing.name)):
            print(f"{processing.name}\t{shlex.join(processing.command) if processing.command else '(no command)'}")
    return 0
