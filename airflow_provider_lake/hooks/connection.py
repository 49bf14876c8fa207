"""Meaning of the fields of a connection; does not import Airflow, so that the command line can test one without it."""

import json
import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from airflow_provider_lake.client import Client, RetryPolicy

DEFAULT_TIMEOUT_SECONDS = 30.0
_LAKE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_FALSE_VALUES = frozenset({"0", "false", "no", "off"})


class ConnectionFields(Protocol):
    """The part of an Airflow connection that is read here."""

    @property
    def conn_id(self) -> Any:
        """Id of the connection, for messages."""
        ...

    @property
    def host(self) -> Any:
        """URL or name of the lake's host; empty: the platform."""
        ...

    @property
    def password(self) -> Any:
        """The API token."""
        ...

    @property
    def port(self) -> Any:
        """Port of the lake, if its host has none."""
        ...

    @property
    def schema(self) -> Any:
        """Scheme of the lake's URL, if its host has none."""
        ...

    @property
    def extra(self) -> Any:
        """JSON object of the extra fields; numbers and booleans may be text, as connection URLs write them."""
        ...


def make_client(
    connection: ConnectionFields, retry: "RetryPolicy | None" = None, renew_token: Callable[[], str] | None = None
) -> "Client":
    """Build the client that a connection describes.

    :param retry: retry policy of the client; None: the default one.
    :param renew_token: returns the current token after the lake has refused one; None: tokens are not renewed.
    :raises airflow_provider_lake.client.UsageError: the connection has no usable token, host or timeout.
    """
    from airflow_provider_lake.client import Client, RetryPolicy

    return Client(**client_arguments(connection), retry=retry or RetryPolicy(), renew_token=renew_token)


def client_arguments(connection: ConnectionFields) -> dict[str, Any]:
    """Return the arguments of the client that a connection describes, without its retry policy.

    :raises airflow_provider_lake.client.UsageError: the connection has no usable token, host or timeout.
    """
    from airflow_provider_lake.client.client import checked_host

    extra = extra_fields(connection)
    return {
        "api_token": api_token(connection),
        "organization_id": extra.get("organization_id") or None,
        "organization_name": extra.get("organization_name") or None,
        "host": checked_host(base_url(connection)),
        "timeout": timeout_seconds(connection),
        "verify": verifies_tls(connection),
    }


def api_token(connection: ConnectionFields) -> str:
    """Return the API token of a connection.

    :raises airflow_provider_lake.client.UsageError: the connection has no usable token.
    """
    from airflow_provider_lake.client import UsageError
    from airflow_provider_lake.client.client import checked_token

    if not connection.password:
        raise UsageError(f"connection {connection.conn_id!r} has no API token; put it into the password field")
    return checked_token(connection.password)


def changed_token(connection: ConnectionFields, previous: ConnectionFields) -> str:
    """Return the API token that a connection has now; a token is never sent to a lake that it was not meant for.

    :param previous: the connection as it was when it was first read.
    :raises airflow_provider_lake.client.UsageError: the connection has no usable token, or has another host now.
    """
    from airflow_provider_lake.client import UsageError

    now, then = (without_credentials(base_url(each)) for each in (connection, previous))
    if now != then:
        raise UsageError(f"connection {connection.conn_id!r} was moved from {then} to {now}")
    return api_token(connection)


def base_url(connection: ConnectionFields) -> str:
    """Return the base URL of the connection's lake: its host as given, completed by https and its port.

    :raises airflow_provider_lake.client.UsageError: the host is not valid.
    """
    from airflow_provider_lake.client import UsageError
    from airflow_provider_lake.client.client import DEFAULT_HOST

    host = (connection.host or "").strip(" ") or DEFAULT_HOST
    if "://" not in host:
        host = f"{(connection.schema or 'https').removesuffix('://')}://{host}"
    # URL parsers skip line breaks and tabs: the token would go to another host.
    if not host.isprintable():
        raise UsageError(f"host {host.rpartition('@')[2]!r} of connection {connection.conn_id!r} is no host")
    try:
        parts = urlsplit(host)
        own_port = parts.port
    except ValueError as error:
        bare = host.rpartition("@")[2]
        raise UsageError(f"host {bare!r} of connection {connection.conn_id!r} is no host: {error}") from None
    # Some versions of the connection form send 0 for an empty port.
    if connection.port and own_port is None:
        parts = parts._replace(netloc=f"{parts.netloc}:{connection.port}")
    return urlunsplit(parts._replace(path=parts.path.rstrip("/")))


def asset_host(connection: ConnectionFields) -> str:
    """Return the host part of the lake's asset URIs: its logical name, else its host.

    :raises airflow_provider_lake.client.UsageError: the host or the name is not valid.
    """
    from airflow_provider_lake.client import UsageError

    name = str(extra_fields(connection).get("lake_name") or "").strip()
    if not name:
        return base_url(connection)
    if not _LAKE_NAME.fullmatch(name):
        raise UsageError(
            f"lake_name {name!r} of connection {connection.conn_id!r} is no name: letters, digits, '.', '_' and '-'"
        )
    return name


def extra_fields(connection: ConnectionFields) -> dict[str, Any]:
    """Return the extra fields of a connection.

    Airflow's own ``extra_dejson`` also masks them, by a call to the supervisor. In Airflow 3.1 this call ends the whole
    triggerer when a trigger's thread makes it. None of the fields is secret, and Airflow masks the connections that it
    returns.

    :raises airflow_provider_lake.client.UsageError: the extra fields are not a JSON object.
    """
    from airflow_provider_lake.client import UsageError

    try:
        fields = json.loads(connection.extra or "{}")
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise UsageError(f"the extra fields of connection {connection.conn_id!r} are no JSON object")
    return fields


def timeout_seconds(connection: ConnectionFields) -> float:
    """Return the connection's timeout for requests, in seconds.

    :raises airflow_provider_lake.client.UsageError: the timeout is not a positive number.
    """
    from airflow_provider_lake.client import UsageError

    given = extra_fields(connection).get("timeout") or DEFAULT_TIMEOUT_SECONDS
    try:
        seconds = math.nan if isinstance(given, bool) else float(given)
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise UsageError(f"timeout of connection {connection.conn_id!r} is no number of seconds: {given!r}")
    return seconds


def verifies_tls(connection: ConnectionFields) -> bool:
    """Return whether the connection requires valid TLS certificates."""
    return str(extra_fields(connection).get("verify_ssl", True)).strip().lower() not in _FALSE_VALUES


def datalake_name(connection: ConnectionFields) -> str | None:
    """Return the name of the connection's datalake; None: the organization's default one."""
    name = extra_fields(connection).get("datalake")
    return str(name) if name else None


def without_credentials(url: str) -> str:
    """Return a URL without the name and password that its host may hold."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
