"""From an Airflow connection to a client of the lake."""

from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, BaseHook
from airflow.sdk.exceptions import AirflowRuntimeError

from airflow_provider_lake.hooks.connection import api_token, changed_token, datalake_name, make_client

if TYPE_CHECKING:
    from airflow.sdk import Connection

    from airflow_provider_lake.client import Client, Datalake


class LakeHook(BaseHook):
    """Client of the lake that a connection of type ``lake`` names.

    The connection holds the host (a URL; a bare host name means https), the API token as its password, and as extra
    fields ``organization_id``, ``organization_name``, ``datalake`` (empty: the default one), ``lake_name`` (in the
    URIs of assets, instead of the host), ``verify_ssl`` and ``timeout`` (seconds).

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
        """Describe the standard fields of the connection form; Airflow 3.2 and later read the provider's metadata."""
        behaviour = _connection_type()["ui-field-behaviour"]
        return {name.replace("-", "_"): value for name, value in behaviour.items()}

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Describe the extra fields of the connection form to Airflow below 3.2.

        :raises ImportError: wtforms is missing. Airflow expects this error; users then enter the extra fields as JSON.
        """
        wtforms = import_module("wtforms")

        # Airflow allows only these classes, and replaces them with its own during this call.
        classes = {"string": "StringField", "boolean": "BooleanField", "number": "IntegerField"}
        return {
            name: getattr(wtforms, classes[field["schema"]["type"][0]])(
                field["label"], description=field["description"], default=field["schema"].get("default")
            )
            for name, field in _connection_type()["conn-fields"].items()
        }

    @classmethod
    async def aget_connection(cls, conn_id: str) -> "Connection":
        """Read a connection in an event loop; Airflow's own method is missing below 3.1, and blocks below 3.3.2."""
        from airflow.providers.common.compat.connection import get_async_connection

        return await get_async_connection(conn_id)

    @cached_property
    def connection(self) -> "Connection":
        """The Airflow connection, read once."""
        return self.get_connection(self.lake_conn_id)

    @cached_property
    def client(self) -> "Client":
        """Client of the connection's organization; the first use requests user and organization from the lake.

        :raises airflow_provider_lake.client.LakeError: the lake cannot be reached, or refuses token or organization.
        """
        return make_client(self.connection, renew_token=self._renew_token)

    def _renew_token(self) -> str:
        """Return the connection's current token, because it may have been rotated; if it has none, the old one."""
        from airflow_provider_lake.client import LakeError

        try:
            connection = self.get_connection(self.lake_conn_id)
            token = changed_token(connection, self.connection)
        except (AirflowException, AirflowRuntimeError, LakeError) as error:
            self.log.warning("The lake refuses the token, and the connection has none in its place: %s", error)
            return api_token(self.connection)
        is_new = token != api_token(self.connection)
        self.log.info("The lake refuses the token; the connection has %s", "a new one" if is_new else "no other")
        self.connection = connection
        return token

    def get_conn(self) -> "Client":
        """Return :attr:`client`, under the common name of Airflow's hooks."""
        return self.client

    def get_datalake(self, name: str | None = None) -> "Datalake":
        """Return a datalake of the organization.

        :param name: name of the datalake; None: the connection's, else the organization's default one.
        :raises airflow_provider_lake.client.NotFoundError: there is no datalake of that name.
        """
        return self.client.get_datalake(name=name or datalake_name(self.connection))

    def test_connection(self) -> tuple[bool, str]:
        """Request the connection's datalake; return success, and the result or the problem in one sentence."""
        from airflow_provider_lake.hooks.check import check_connection

        return check_connection(self.connection)


def _connection_type() -> dict[str, Any]:
    """Return this connection type from the provider's metadata: one description for every Airflow version."""
    from airflow_provider_lake.get_provider_info import get_provider_info

    found: dict[str, Any] = get_provider_info()["connection-types"][0]
    return found
