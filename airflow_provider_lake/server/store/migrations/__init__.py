"""The history of the tables, by Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring a database to the newest tables, or to those of a revision; an empty one gets them all."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    with engine.execution_options(lake_writes=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
