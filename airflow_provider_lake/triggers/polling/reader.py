"""Requests about a datalake for waits for data; they use the connection's poller and do not block the event loop."""

import asyncio
import importlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_lake.triggers.polling.poller import Poller, read_datalake_name, shared_poller

if TYPE_CHECKING:
    from airflow_provider_lake.client.listing.ids import IdPage, IdQuery
    from airflow_provider_lake.client.transport.session import QueryParams


@dataclass(frozen=True, slots=True)
class DatalakeRef:
    """Id and name of a datalake."""

    id: str
    name: str


class DataReader:
    """Requests data of one datalake. Failed requests are not retried: callers poll again anyway.

    The first request connects. After a refusal, or if no response came, the next request connects again, so that a
    changed Airflow connection is noticed.

    Await :func:`load_client` before using this class.

    :param lake_conn_id: id of a connection of type ``lake``.
    :param datalake: name of the datalake; None: the connection's, else the organization's default one.
    """

    def __init__(self, lake_conn_id: str, datalake: str | None) -> None:
        self.lake_conn_id = lake_conn_id
        self.datalake_name = datalake
        self._stack = AsyncExitStack()
        self._poller: Poller | None = None
        self._datalake: DatalakeRef | None = None

    async def get_datalake(self) -> DatalakeRef:
        """Return the datalake.

        :raises airflow_provider_lake.client.LakeError: the lake fails to respond, or refuses the request.
        """
        if self._datalake is None:
            name = self.datalake_name or await read_datalake_name(self.lake_conn_id)
            async with self._borrow_poller() as poller:
                path = f"/api/organization/{await poller.organization_id()}/datalake"
                found = await poller.request("GET", path, params=[("name", name)])
            self._datalake = DatalakeRef(found["id"], found["name"])
        return self._datalake

    async def read_ids(self, query: "IdQuery") -> "IdPage":
        """Request one page of ids."""
        from airflow_provider_lake.client.listing.ids import IdPage, ids_path

        datalake = await self.get_datalake()
        return IdPage.from_json(await self._request("GET", ids_path(datalake.id), params=query.params))

    async def count(self, q: str | None, statuses: Sequence[str]) -> int:
        """Count the data that match a query and have one of the given upload statuses."""
        from airflow_provider_lake.client.listing.ids import IdQuery

        return (await self.read_ids(IdQuery(q, statuses, limit=1))).count

    async def filter_ids(self, ids: Sequence[str], q: str | None, statuses: Sequence[str]) -> list[str]:
        """Return the ids of those data that match a query and have one of the given upload statuses.

        :param ids: at most 1,000.
        """
        from airflow_provider_lake.client.listing.ids import ids_body

        if not ids:
            return []
        datalake, body = await self.get_datalake(), ids_body(ids, q, statuses)
        page = await self._request("XGET", f"/api/datalake/{datalake.id}/datas", json=body)
        return [str(item["id"]) for item in page["items"]]

    async def close(self) -> None:
        """Stop using the shared poller; the next request uses it again."""
        self._poller = self._datalake = None
        await self._stack.aclose()

    async def _request(self, method: str, path: str, *, params: "QueryParams" = (), json: Any = None) -> Any:
        async with self._borrow_poller() as poller:
            return await poller.request(method, path, params=params, json=json)

    @asynccontextmanager
    async def _borrow_poller(self) -> AsyncIterator[Poller]:
        """Use the poller; release it after a refusal or if no response came."""
        if self._poller is None:
            self._poller = await self._stack.enter_async_context(shared_poller(self.lake_conn_id))
        from airflow_provider_lake.client import RateLimitedError, ResponseError, ServerError, TransportError

        try:
            yield self._poller
        except (RateLimitedError, ServerError):
            raise
        except (ResponseError, TransportError):
            await self.close()
            raise


async def load_client() -> None:
    """Import the client in a thread: the import takes a while and would block the event loop."""
    await asyncio.to_thread(importlib.import_module, "airflow_provider_lake.client.listing.ids")
