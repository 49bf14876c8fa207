"""Organization of a poller: looked up in the lake once for all users of the poller."""

import asyncio
import copy
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from uuid import UUID

from airflow_provider_lake.tasks.outages import Logger, OutageBudget, backoff

Params = Iterable[tuple[str, Any]]
Send = Callable[[str, str, Params], Awaitable[Any]]
_FIRST_PAUSE_SECONDS = 1.0


class OrganizationLookup:
    """The organization of a connection.

    :param send: sends one request to the API.
    :param organization_id: its id; if neither id nor name is given: the token's default organization.
    """

    def __init__(self, send: Send, organization_id: str | None, name: str | None) -> None:
        from airflow_provider_lake.client.resources.base import parse_id

        self._send = send
        self._id = None if organization_id is None else parse_id(organization_id)
        self._name = name
        self._search: asyncio.Task[UUID] | None = None
        self._failure: Exception | None = None
        self._failures = 0
        self._retry_at = 0.0

    async def find(self) -> UUID:
        """Return the id of the organization; concurrent callers share one request.

        :raises airflow_provider_lake.client.LakeError: the request failed, or failed so recently that it is not
            retried yet.
        """
        if self._id is not None:
            return self._id
        if self._failure is not None and time.monotonic() < self._retry_at:
            raise copy.copy(self._failure)
        if self._search is None:
            self._search = asyncio.create_task(self._look_up())
        return await asyncio.shield(self._search)

    async def find_within(self, outage_budget: float, log: Logger, *, token_was_accepted: bool = False) -> UUID:
        """Return the id of the organization; tolerate outages of the lake.

        :param outage_budget: seconds that an outage may last.
        :param token_was_accepted: whether the lake has accepted the token before.
        :raises airflow_provider_lake.client.LakeError: the lake refuses the request, or an outage exceeds the budget.
        """
        from airflow_provider_lake.client import LakeError

        budget = OutageBudget(outage_budget, log, token_was_accepted=token_was_accepted)
        while True:
            try:
                return await self.find()
            except LakeError as error:
                budget.tolerate(error)
            await asyncio.sleep(budget.next_delay(_FIRST_PAUSE_SECONDS))

    def close(self) -> None:
        """Cancel the lookup."""
        if self._search is not None:
            self._search.cancel()

    async def _look_up(self) -> UUID:
        try:
            self._id = UUID(await self._request_id())
        except Exception as error:
            self._failures += 1
            self._failure = error
            pause = max(backoff(_FIRST_PAUSE_SECONDS, self._failures), getattr(error, "retry_after", None) or 0.0)
            self._retry_at = time.monotonic() + pause
            raise
        finally:
            self._search = None
        return self._id

    async def _request_id(self) -> str:
        from airflow_provider_lake.client import UsageError

        if self._name is not None:
            organization = await self._send("GET", "/api/organizations/find", [("name", self._name)])
            return str(organization["id"])
        user = await self._send("GET", "/api/home/ping", ())
        if user["default_organization"] is None:
            raise UsageError("the token has no default organization: give organization_id or organization_name")
        return str(user["default_organization"])
