"""One poller per connection for all waits of a triggerer process.

::

    async with shared_poller("lake_default") as poller:
        async with aclosing(poller.watch([job_id], log, poll_interval=5.0, outage_budget=600.0)) as updates:
            async for job in updates:
                ...
        tags = await poller.request("GET", path, params=[("limit", 10)])

All waits in one event loop that name the same Airflow connection share one poller, with its connections and its
schedule. A separate thread (:mod:`airflow_provider_lake.triggers.polling.thread`) sends the requests: the event loop
receives updates only. The poller closes with its last user; the next user reads the Airflow connection again.
"""

import asyncio
import logging
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException
from airflow.sdk.exceptions import AirflowRuntimeError

from airflow_provider_lake.hooks.connection import changed_token, client_arguments, datalake_name
from airflow_provider_lake.hooks.lake import LakeHook
from airflow_provider_lake.tasks.outages import Logger
from airflow_provider_lake.triggers.polling.organization import OrganizationLookup, Params

if TYPE_CHECKING:
    from uuid import UUID

    from airflow.sdk import Connection

    from airflow_provider_lake.client import LakeError
    from airflow_provider_lake.client.transport.base import Response
    from airflow_provider_lake.triggers.polling.schedule import JobUpdate, Update, Wait
    from airflow_provider_lake.triggers.polling.thread import PollCounts


logger = logging.getLogger(__name__)


class Poller:
    """Sends requests to one lake for many triggers; belongs to one event loop.

    :param arguments: arguments of the client, as the Airflow connection describes it.
    :param read_token: reads the token of that connection again, when the lake refuses the current one.
    """

    def __init__(self, arguments: Mapping[str, Any], read_token: Callable[[], Awaitable[str]]) -> None:
        from airflow_provider_lake.client import RetryPolicy
        from airflow_provider_lake.client.transport.session import Session, make_transport
        from airflow_provider_lake.triggers.polling.thread import PollerThread

        transport = make_transport(arguments["timeout"], arguments["verify"])
        self._session = Session(arguments["host"], arguments["api_token"], transport, RetryPolicy(attempts=1))
        self._organization = OrganizationLookup(
            self._send, arguments["organization_id"], arguments["organization_name"]
        )
        self._inboxes: dict[Wait, asyncio.Queue[Update | Exception]] = {}
        self._pending: set[asyncio.Future[Response]] = set()
        self._read_token = read_token
        self._renewal: asyncio.Future[None] | None = None
        self._thread = PollerThread(
            asyncio.get_running_loop(), self._session, self._deliver, self._start_renewal, self._fail
        )
        self._thread.start()
        self._error: Exception | None = None
        self.is_stale = False
        self.opened_at = time.monotonic()

    async def request(self, method: str, path: str, *, params: Params = (), json: Any = None) -> Any:
        """Send one API request, without retries, and return the JSON of the response; None for an empty response.

        :param path: path below the host, starting with ``/api/``.
        :param params: query parameters; pairs whose value is None are left out.
        :param json: the body.
        :raises airflow_provider_lake.client.ResponseError: the lake responded with an error.
        :raises airflow_provider_lake.client.TransportError: no usable response came.
        """
        self._session.organization_id = await self._organization.find()
        return await self._send(method, path, params, json)

    async def organization_id(self) -> "UUID":
        """Return the id of the connection's organization."""
        return await self._organization.find()

    async def watch(
        self,
        job_ids: Sequence[str],
        log: Logger,
        *,
        poll_interval: float,
        outage_budget: float,
        since: float | None = None,
        token_was_accepted: bool = False,
    ) -> "AsyncGenerator[JobUpdate, None]":
        """Yield the state of jobs, first the current one and then each change, until every job has ended.

        :param log: logger for outages of the lake.
        :param poll_interval: seconds, the longest time between two polls of a job; young jobs are polled more often.
        :param outage_budget: seconds that one outage of the lake may last.
        :param since: when the wait started, in seconds since 1970; None: now.
        :param token_was_accepted: whether the lake has accepted the token before: a refusal after that may mean that
            the token is being rotated, and counts as an outage.
        :raises airflow_provider_lake.client.LakeError: the lake refuses the request, or an outage exceeds the budget.
        """
        from airflow_provider_lake.triggers.polling.schedule import OutageStarted, Wait

        now = time.monotonic()
        started = now if since is None else now - max(0.0, time.time() - since)
        self._session.organization_id = await self._organization.find_within(
            outage_budget, log, token_was_accepted=token_was_accepted
        )
        self._check_alive()
        wait = Wait(
            tuple(dict.fromkeys(job_ids)), poll_interval, outage_budget, started, time.monotonic(), token_was_accepted
        )
        inbox = self._inboxes[wait] = asyncio.Queue()
        self._thread.watch(wait)
        try:
            unfinished = set(wait.job_ids)
            while unfinished:
                update = await inbox.get()
                if isinstance(update, OutageStarted):
                    log.warning("The lake does not answer: %s", update.error)
                    continue
                if isinstance(update, Exception):
                    self._mark_stale_after(update)
                    raise update
                if update.status.is_final:
                    unfinished.discard(update.id)
                yield update
        finally:
            del self._inboxes[wait]
            self._thread.unwatch(wait)

    async def kill_job(self, job_id: str, log: Logger) -> None:
        """Kill a job that is still running; the job is read first, because it may have ended by itself.

        :raises airflow_provider_lake.client.LakeError: the job cannot be killed.
        """
        from airflow_provider_lake.client import JobStatus

        job = await self.request("GET", f"/api/v2/job/{job_id}")
        if not JobStatus(job["status"]).is_final:
            log.info("Killing job %s, which is %s", job_id, job["status"])
            await self.request("POST", f"/api/v2/job/{job_id}/kill")

    def close(self) -> None:
        """Cancel the requests in flight, and stop the thread."""
        self._organization.close()
        if self._renewal is not None:
            self._renewal.cancel()
        self._thread.close()

    @property
    def counts(self) -> "PollCounts":
        """Counts of the polls so far."""
        return self._thread.counts

    def _deliver(self, batch: "list[tuple[Wait, Update]]") -> None:
        """Put updates into the queues of their waits; called in the event loop."""
        for wait, update in batch:
            inbox = self._inboxes.get(wait)
            if inbox is not None:
                inbox.put_nowait(update)

    def _start_renewal(self, refused: str) -> None:
        """Check whether the connection has a new token in place of the refused one; called in the event loop."""
        self._renewal = asyncio.ensure_future(self._renew(refused))

    async def _renew(self, refused: str) -> None:
        from airflow_provider_lake.client import LakeError

        token = self._session.token
        try:
            if token.value == refused:
                token.value = await self._read_token()
        except (AirflowException, AirflowRuntimeError, LakeError) as error:
            logger.warning("The lake refuses the token, and the connection has none in its place: %s", error)
        finally:
            self._thread.resend_refused()

    def _fail(self, error: Exception) -> None:
        """Fail all waits and requests after the thread has crashed; called in the event loop."""
        self.is_stale = True
        self._error = error
        for inbox in self._inboxes.values():
            inbox.put_nowait(error)
        for response in self._pending:
            _complete(response, error)

    def _check_alive(self) -> None:
        """Raise the error with which the thread has crashed, if it has: no response would come."""
        if self._error is not None:
            raise self._error

    def _mark_stale_after(self, error: Exception) -> None:
        """Mark the poller as stale if the error may mean that the Airflow connection now has another lake or token.

        Such errors are: a refused token, an unknown id or name, no usable response. A stale poller gets no new users.
        """
        from airflow_provider_lake.client import NotFoundError, TransportError, UnauthorizedError

        self.is_stale = self.is_stale or isinstance(error, UnauthorizedError | NotFoundError | TransportError)

    async def _send(self, method: str, path: str, params: Params = (), json: Any = None) -> Any:
        from airflow_provider_lake.client.transport.session import read_response
        from airflow_provider_lake.triggers.polling.thread import PendingRequest

        self._check_alive()
        loop = asyncio.get_running_loop()
        response: asyncio.Future[Response] = loop.create_future()
        request = self._session.build_request(method, path, params, json)

        def on_done(result: "Response | LakeError") -> None:
            with suppress(RuntimeError):  # the loop is closed: nothing waits for the response
                loop.call_soon_threadsafe(_complete, response, result)

        self._pending.add(response)
        self._thread.send(PendingRequest(request, on_done))
        try:
            return read_response(method, request.url, await response)
        except Exception as error:
            self._mark_stale_after(error)
            raise
        finally:
            self._pending.discard(response)


class _SharedPoller:
    """A poller that is open or being opened, and the number of its users."""

    def __init__(self, lake_conn_id: str) -> None:
        self.users = 0
        self.poller = asyncio.ensure_future(_open(lake_conn_id))

    @property
    def is_stale(self) -> bool:
        """Whether the poller could not be opened, or the connection may have another lake or token by now."""
        if not self.poller.done():
            return False
        return self.poller.cancelled() or self.poller.exception() is not None or self.poller.result().is_stale


_Key = tuple[int, asyncio.AbstractEventLoop, str]
# By process and event loop: neither a forked process nor another event loop can use a poller.
_pollers: dict[_Key, _SharedPoller] = {}


@asynccontextmanager
async def shared_poller(lake_conn_id: str) -> AsyncIterator[Poller]:
    """Use the poller of a connection; the first user opens it, the last one closes it.

    :param lake_conn_id: id of a connection of type ``lake``.
    :raises airflow_provider_lake.client.UsageError: the connection has no token, or is unusable for another reason.
    """
    key = (os.getpid(), asyncio.get_running_loop(), lake_conn_id)
    shared = _pollers.get(key)
    if shared is None:
        shared = _pollers[key] = _SharedPoller(lake_conn_id)
    shared.users += 1
    try:
        yield await asyncio.shield(shared.poller)
    finally:
        shared.users -= 1
        if (not shared.users or shared.is_stale) and _pollers.get(key) is shared:
            del _pollers[key]
        if not shared.users:
            shared.poller.add_done_callback(_close)


def _close(opening: "asyncio.Future[Poller]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


async def _open(lake_conn_id: str) -> Poller:
    connection = await _get_connection(lake_conn_id)

    async def read_token() -> str:
        return changed_token(await _get_connection(lake_conn_id), connection)

    return Poller(await asyncio.to_thread(_load_arguments, connection), read_token)


def _load_arguments(connection: "Connection") -> dict[str, Any]:
    """Read a connection and import slow modules; runs in a thread, not in the event loop."""
    import airflow_provider_lake.triggers.polling.thread  # noqa: F401 - loaded here

    return client_arguments(connection)


async def read_datalake_name(lake_conn_id: str) -> str | None:
    """Return the name of a connection's datalake, without blocking the event loop."""
    return datalake_name(await _get_connection(lake_conn_id))


async def _get_connection(lake_conn_id: str) -> "Connection":
    # The import takes a while, so it runs in a thread first.
    await asyncio.to_thread(import_module, "airflow.providers.common.compat.connection")
    return await LakeHook.aget_connection(lake_conn_id)


def _complete(response: "asyncio.Future[Response]", result: "Response | Exception") -> None:
    if response.done():
        return
    if isinstance(result, Exception):
        response.set_exception(result)
    else:
        response.set_result(result)
