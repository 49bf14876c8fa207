"""`lake serve`: run an embedded lake until it is told to end."""

import json
import sys
from pathlib import Path

from airflow_provider_lake.cli.errors import CommandError
from airflow_provider_lake.processings import BUILTIN


def run_lake(
    host: str,
    port: int,
    data_dir: Path,
    *,
    database_url: str | None,
    storage_url: str | None,
    token: str | None,
    job_slots: int,
) -> int:
    """Serve until SIGTERM or SIGINT.

    :raises CommandError: the lake cannot start, for example because the port is in use.
    """
    from airflow_provider_lake.server.serve import ServeError, serve
    from airflow_provider_lake.server.settings import Settings

    settings = Settings(
        data_dir=data_dir,
        database_url=database_url,
        storage_url=storage_url,
        token=token,
        job_slots=job_slots,
        builtin_processings=BUILTIN,
    )

    def announce(url: str) -> None:
        print(f"lake ready on {url}", flush=True)
        if token is None:
            print(_how_to_use(url, settings.token_path), file=sys.stderr, flush=True)

    try:
        serve(settings, host, port, announce)
    except ServeError as error:
        raise CommandError(str(error)) from error
    return 0


def _how_to_use(url: str, token_path: Path) -> str:
    connection = json.dumps({"conn_type": "lake", "host": url, "password": "TOKEN"})
    before, after = connection.split("TOKEN")
    return (
        f"its token is in {token_path}, readable by you only\n"
        f"in a browser:  {url}\n"
        f"from Airflow:  export AIRFLOW_CONN_LAKE_DEFAULT='{before}'\"$(cat {token_path})\"'{after}'\n"
        f"from Python:   Client(open({str(token_path)!r}).read(), host={url!r})"
    )
