"""From an Airflow connection to a client of the lake."""

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from airflow.providers.common.compat.sdk import BaseHook

if TYPE_CHECKING:
    from airflow.sdk import Connection

    from airflow_provider_lake.client import Client, Datalake, RetryPolicy

DEFAULT_HOST = "https://app.picsellia.com"
DEFAULT_TIMEOUT_SECONDS = 30.0
_FALSE_WORDS = frozenset({"0", "false", "no", "off"})


class LakeHook(BaseHook):
    """Client of the lake that a connection of type ``lake`` names.

    The connection holds the host (a URL; a bare host name means https), the API token as its password, and as extra
    fields ``organization_id``, ``organization_name``, ``datalake`` (empty: the default one), ``verify_ssl`` and
    ``timeout`` (seconds).

    :param lake_conn_id: id of the connection.
    """

    conn_name_attr = "lake_conn_id"
    default_conn_name = "lake_default"
    conn_type = "lake"
    hook_name = "Lake"

    def __init__(self, lake_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.lake_conn_id = lake_conn_id

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Describe the connection form to Airflow below 3.2; later ones read it from the provider's metadata."""
        return {
            "hidden_fields": ["schema", "port", "login"],
            "relabeling": {"host": "Host", "password": "API token"},
            "placeholders": {"host": DEFAULT_HOST},
        }

    @classmethod
    async def aget_connection(cls, conn_id: str) -> "Connection":
        """Read a connection on an event loop; Airflow itself cannot below 3.1, and blocks the loop below 3.3.2."""
        from airflow.providers.common.compat.connection import get_async_connection

        return await get_async_connection(conn_id)

    @cached_property
    def connection(self) -> "Connection":
        """The connection itself, read once."""
        return self.get_connection(self.lake_conn_id)

    @cached_property
    def client(self) -> "Client":
        """Client of the connection's organization; the first use asks the lake who we are.

        :raises airflow_provider_lake.client.LakeError: the lake cannot be reached, or refuses token or organization.
        """
        return make_client(self.connection)

    def get_conn(self) -> "Client":
        """Return :attr:`client`, under the name that Airflow's hooks share."""
        return self.client

    def get_datalake(self, name: str | None = None) -> "Datalake":
        """Return a datalake of the organization.

        :param name: its name; None: the one that the connection names, else the organization's default one.
        :raises airflow_provider_lake.client.NotFoundError: there is none of that name.
        """
        return self.client.get_datalake(name=name or extra_fields(self.connection).get("datalake") or None)

    def test_connection(self) -> tuple[bool, str]:
        """Ask the lake for the connection's datalake; say in one sentence what was found or what is wrong."""
        from airflow_provider_lake.client import LakeError

        try:
            datalake = self.get_datalake()
        except LakeError as error:
            return False, str(error)
        if datalake.connector_id is None:
            return False, f"datalake {datalake.name!r} has no connector: it can neither upload nor import"
        return True, f"connected to datalake {datalake.name!r}"


def make_client(connection: "Connection", retry: "RetryPolicy | None" = None) -> "Client":
    """Build the client that a connection describes.

    :param retry: when it sends a request again; None: as clients do by default.
    :raises airflow_provider_lake.client.UsageError: the connection has no token, or extra fields that mean nothing.
    """
    from airflow_provider_lake.client import Client, RetryPolicy

    return Client(**client_arguments(connection), retry=retry or RetryPolicy())


def client_arguments(connection: "Connection") -> dict[str, Any]:
    """Return what a connection says to whoever talks to its lake: the arguments of a client, less how it retries.

    :raises airflow_provider_lake.client.UsageError: the connection has no token, or a timeout that is no number.
    """
    from airflow_provider_lake.client import UsageError

    extra = extra_fields(connection)
    if not connection.password:
        raise UsageError(f"connection {connection.conn_id!r} has no API token; put it into the password field")
    try:
        timeout = float(extra.get("timeout") or DEFAULT_TIMEOUT_SECONDS)
    except ValueError:
        raise UsageError(f"timeout of connection {connection.conn_id!r} is no number of seconds") from None
    return {
        "api_token": connection.password,
        "organization_id": extra.get("organization_id") or None,
        "organization_name": extra.get("organization_name") or None,
        "host": base_url(connection),
        "timeout": timeout,
        "verify": str(extra.get("verify_ssl", True)).lower() not in _FALSE_WORDS,
    }


def base_url(connection: "Connection") -> str:
    """Return the base URL of the connection's lake: its host as given, completed by https and its port."""
    host = (connection.host or DEFAULT_HOST).rstrip("/")
    if "://" not in host:
        host = f"{connection.schema or 'https'}://{host}"
    parts = urlsplit(host)
    # Some versions of the connection form send 0 for an empty port.
    if connection.port and parts.port is None:
        parts = parts._replace(netloc=f"{parts.netloc}:{connection.port}")
    return urlunsplit(parts)


def extra_fields(connection: "Connection") -> dict[str, Any]:
    """Return the extra fields of a connection.

    Airflow's own ``extra_dejson`` also masks them, by a call to the supervisor that ends the whole triggerer of Airflow
    3.1 when a trigger's thread makes it. No field of ours is secret, and Airflow masks what it hands out.

    :raises airflow_provider_lake.client.UsageError: they are no JSON object.
    """
    from airflow_provider_lake.client import UsageError

    try:
        fields = json.loads(connection.extra or "{}")
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise UsageError(f"the extra fields of connection {connection.conn_id!r} are no JSON object")
    return fields
