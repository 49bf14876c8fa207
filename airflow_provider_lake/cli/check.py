"""`lake check`: test a connection, as the *Test* button of Airflow's connection form does."""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airflow_provider_lake.cli.errors import CommandError
from airflow_provider_lake.hooks.check import check_connection
from airflow_provider_lake.hooks.connection import ConnectionFields


@dataclass(frozen=True, slots=True)
class ConnectionArguments:
    """A connection given by command line arguments.

    :param conn_id: its name in messages.
    :param host: URL of the lake; None: the platform.
    :param password: its API token.
    :param extra: JSON of the extra fields of an Airflow connection.
    """

    conn_id: str
    host: str | None
    password: str = field(repr=False)
    extra: str
    port: int | None = None
    schema: str | None = None


def check_arguments(host: str | None, token: str | None, token_file: Path | None, extra: Mapping[str, Any]) -> int:
    """Test a connection given by command line arguments; return the exit code.

    :param extra: the extra fields of an Airflow connection.
    :raises CommandError: there is no token, or its file cannot be read.
    """
    if token_file is not None:
        from airflow_provider_lake.server.secret_files import SecretFileError, read_token

        try:
            token = read_token(token_file)
        except SecretFileError as error:
            raise CommandError(str(error)) from error
    if not token:
        raise CommandError("no API token: give --token-file or --token, or --conn-id for a connection of Airflow")
    return _report(ConnectionArguments("given", host, token, json.dumps(extra)))


def check_conn_id(conn_id: str) -> int:
    """Test an Airflow connection, wherever it is stored; return the exit code.

    :raises CommandError: Airflow has no connection with this id, or it is of another type.
    """
    # Airflow's own command line sets this too, to allow access to its database.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    from airflow.exceptions import AirflowNotFoundException  # type: ignore[attr-defined]  # Airflow's re-export
    from airflow.models.connection import Connection
    from sqlalchemy.exc import SQLAlchemyError

    try:
        connection = Connection.get_connection_from_secrets(conn_id)
    except AirflowNotFoundException:
        raise CommandError(f"Airflow knows no connection {conn_id!r}") from None
    except SQLAlchemyError as error:
        reason = str(error).partition("\n")[0]
        raise CommandError(f"connection {conn_id!r} cannot be read from Airflow's database: {reason}") from None
    if connection.conn_type != "lake":
        raise CommandError(f"connection {conn_id!r} is of type {connection.conn_type!r}, not 'lake'")
    return _report(connection)


def run_airflow_command(arguments: argparse.Namespace) -> None:
    """Run `airflow lake check`.

    :raises SystemExit: the connection does not work.
    """
    try:
        code = check_conn_id(arguments.conn_id)
    except CommandError as error:
        sys.exit(f"airflow lake check: {error}")
    if code:
        sys.exit(code)


def _report(connection: ConnectionFields) -> int:
    succeeded, sentence = check_connection(connection)
    print(sentence, file=sys.stdout if succeeded else sys.stderr)
    return 0 if succeeded else 1
