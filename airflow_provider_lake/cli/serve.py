"""`lake serve`: run an embedded lake until it is stopped."""

import ipaddress
import json
import shlex
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

from airflow_provider_lake.cli.errors import CommandError
from airflow_provider_lake.processings import BUILTIN

MIN_PUBLIC_TOKEN = 16


def run_lake(
    host: str,
    port: int,
    data_dir: Path,
    *,
    database_url: str | None,
    storage_url: str | None,
    token: str | None,
    token_file: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    public_url: str | None,
    insecure: bool,
    workers: int,
    job_slots: int,
) -> int:
    """Serve until SIGTERM or SIGINT.

    :raises CommandError: the lake cannot start, for example because the port is in use, or refuses to start because
        other machines could read its traffic.
    """
    if (tls_cert is None) != (tls_key is None):
        raise CommandError("--tls-cert and --tls-key go together")
    token = _read_token(token, token_file)
    if not _is_local(host):
        _check_public(host, token, is_safe=insecure or tls_cert is not None)
    from airflow_provider_lake.server.serve import ServeError, serve
    from airflow_provider_lake.server.settings import Settings

    settings = Settings(
        data_dir=data_dir,
        database_url=database_url,
        storage_url=storage_url,
        token=token,
        public_url=_check_url(public_url),
        tls_cert=tls_cert,
        tls_key=tls_key,
        workers=workers,
        job_slots=job_slots,
        builtin_processings=BUILTIN,
    )

    def announce(url: str) -> None:
        print(f"lake ready on {url}", flush=True)
        if token is None:
            print(_usage_text(url, settings.token_path), file=sys.stderr, flush=True)

    try:
        serve(settings, host, port, announce)
    except ServeError as error:
        raise CommandError(str(error)) from error
    return 0


def _read_token(token: str | None, token_file: Path | None) -> str | None:
    if token is not None and token_file is not None:
        raise CommandError("give either --token or --token-file")
    from airflow_provider_lake.server.secret_files import (
        SecretFileError,
        checked_token,
        is_readable_by_others,
        read_token,
    )

    try:
        if token_file is None:
            return None if token is None else checked_token(token)
        token = read_token(token_file)
    except SecretFileError as error:
        raise CommandError(str(error)) from error
    if is_readable_by_others(token_file):
        print(f"other users of this machine may read {token_file}: chmod 600 keeps it yours", file=sys.stderr)
    return token


def _check_url(public_url: str | None) -> str | None:
    """Return the URL at which clients reach the lake, and with which the URLs that the lake returns start."""
    if public_url is None:
        return None
    try:
        parts = urlsplit(public_url)
        is_base = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        is_base = False
    if not is_base or parts.query or parts.fragment or any(each.isspace() for each in public_url):
        raise CommandError(f"--public-url {public_url!r} is no URL like https://lake.example.com")
    return public_url.rstrip("/")


def _is_local(host: str) -> bool:
    """Whether an address to listen on can be reached from this machine only."""
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (socket.gaierror, UnicodeError):  # UnicodeError: a label that is too long for a hostname
        raise CommandError(f"no such host: {host}") from None
    return all(ipaddress.ip_address(address.partition("%")[0]).is_loopback for address in found)


def _check_public(host: str, token: str | None, *, is_safe: bool) -> None:
    if token is None or len(token) < MIN_PUBLIC_TOKEN:
        raise CommandError(
            f"other machines reach {host}: give the lake a token of {MIN_PUBLIC_TOKEN} characters or more "
            "by --token-file or --token"
        )
    if not is_safe:
        raise CommandError(
            f"other machines reach {host}: give --tls-cert and --tls-key, or --insecure where a proxy ends TLS"
        )


def _usage_text(url: str, token_path: Path) -> str:
    connection = json.dumps({"conn_type": "lake", "host": url, "password": "TOKEN"})
    before, after = connection.split("TOKEN")
    file = shlex.quote(str(token_path))
    return (
        f"its token is in {token_path}, readable by you only\n"
        f"in a browser:  {url}\n"
        f"from Airflow:  export AIRFLOW_CONN_LAKE_DEFAULT='{before}'\"$(cat {file})\"'{after}'\n"
        f"from Python:   Client(open({str(token_path)!r}).read(), host={url!r})"
    )
