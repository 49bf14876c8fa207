"""What waits for data asks of a datalake, without blocking the event loop that it runs on."""

import asyncio
import importlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from airflow.providers.common.compat.connection import get_async_connection

from airflow_provider_lake.hooks.lake import LakeHook, make_client

if TYPE_CHECKING:
    from airflow.sdk import Connection

    from airflow_provider_lake.client import Client, Datalake
    from airflow_provider_lake.client.http import Session
    from airflow_provider_lake.client.id_pages import IdPage, IdQuestion

_P = ParamSpec("_P")
_T = TypeVar("_T")


async def load_client() -> None:
    """Import the client, which takes a while, before whoever imports from it would stop the event loop."""
    await asyncio.to_thread(importlib.import_module, "airflow_provider_lake.client")


class DataReader:
    """Asks one datalake about its data. Nothing is asked again after a fault: whoever waits asks again anyway.

    It connects when it is first asked, and anew after a fault, so that a changed connection is noticed.

    :param lake_conn_id: id of a connection of type ``lake``.
    :param datalake: name of the datalake; None: the connection's, else the organization's default one.
    """

    def __init__(self, lake_conn_id: str, datalake: str | None) -> None:
        self.lake_conn_id = lake_conn_id
        self.datalake_name = datalake
        self._client: Client | None = None
        self._datalake: Datalake | None = None

    async def get_datalake(self) -> "Datalake":
        """Return the datalake.

        :raises airflow_provider_lake.client.LakeError: the lake does not answer, or refuses.
        """
        if self._datalake is None:
            connection = await get_async_connection(self.lake_conn_id, hook=LakeHook)
            self._client, datalake = await asyncio.to_thread(_connect, connection, self.datalake_name)
            self._datalake = datalake
        return self._datalake

    async def read_ids(self, question: "IdQuestion") -> "IdPage":
        """Ask for one page of ids."""
        from airflow_provider_lake.client.id_pages import read_ids

        return await self._ask(read_ids, question)

    async def count(self, q: str | None, statuses: Sequence[str]) -> int:
        """Count the data that a query means, of those in some upload statuses."""
        from airflow_provider_lake.client.id_pages import count_data

        return await self._ask(count_data, q, statuses)

    async def filter_ids(self, ids: Sequence[str], q: str | None, statuses: Sequence[str]) -> list[str]:
        """Return those of some data that a query means and that are in some upload statuses."""
        from airflow_provider_lake.client.id_pages import filter_ids

        return await self._ask(filter_ids, ids, q, statuses)

    def close(self) -> None:
        """Close the connections; the next question opens them anew."""
        client, self._client, self._datalake = self._client, None, None
        if client is not None:
            client.close()

    async def _ask(
        self, ask: "Callable[Concatenate[Session, UUID, _P], _T]", *arguments: _P.args, **named: _P.kwargs
    ) -> _T:
        from airflow_provider_lake.client import LakeError

        datalake = await self.get_datalake()
        try:
            return await asyncio.to_thread(ask, datalake.session, datalake.id, *arguments, **named)
        except LakeError:
            self.close()
            raise


def _connect(connection: "Connection", name: str | None) -> "tuple[Client, Datalake]":
    from airflow_provider_lake.client import RetryPolicy

    client = make_client(connection, RetryPolicy(attempts=1))
    return client, client.get_datalake(name=name or connection.extra_dejson.get("datalake") or None)
