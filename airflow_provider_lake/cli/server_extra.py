"""Checks whether this environment can run an embedded lake."""

from importlib.metadata import version
from importlib.util import find_spec

from airflow_provider_lake.cli.errors import CommandError

_MODULES = ("alembic", "fastapi", "granian", "lark", "python_multipart", "sqlalchemy")


def require_server() -> None:
    """Check that this environment can run an embedded lake.

    :raises CommandError: a dependency is missing or too old.
    """
    missing = [name for name in _MODULES if find_spec(name) is None]
    if missing:
        raise CommandError(f"{', '.join(missing)} not installed; install airflow-provider-lake[server]")
    sqlalchemy = version("sqlalchemy")
    if sqlalchemy.startswith("1."):
        raise CommandError(
            f"the lake needs SQLAlchemy 2, this environment has {sqlalchemy}, as Airflow 3.0 wants it;"
            " install airflow-provider-lake[server] into an environment of its own"
        )
