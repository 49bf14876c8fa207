"""`lake datalake`: the datalakes of an organization on an embedded lake."""

from pathlib import Path

from airflow_provider_lake.cli.database import get_organization, open_database
from airflow_provider_lake.cli.errors import CommandError
from airflow_provider_lake.server.store.queries import datalakes


def add_datalake(data_dir: Path, database_url: str | None, organization_name: str, name: str) -> int:
    """Add a datalake to an organization; it shares the bucket of the organization's default datalake."""
    if not name.strip():
        raise CommandError("the datalake needs a name")
    with open_database(data_dir, database_url) as session:
        datalakes.create_datalake(session, get_organization(session, organization_name).id, name)
    return 0


def list_datalakes(data_dir: Path, database_url: str | None, organization_name: str) -> int:
    """Print id and name of every datalake of an organization, and which one is the default."""
    with open_database(data_dir, database_url) as session:
        for datalake in datalakes.list_datalakes(session, get_organization(session, organization_name).id):
            print(datalake.id, datalake.name, *["(default)"] * datalake.is_default, sep="\t")
    return 0
