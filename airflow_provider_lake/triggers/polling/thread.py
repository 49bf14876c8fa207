"""The thread of a poller: sends all of its requests over one pool of connections, and runs its schedule.

This module imports pycurl and the client, so import it only where a poller is created.
"""

import asyncio
import logging
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

import pycurl  # noqa: TID253 - this module is loaded where a poller is made, and nowhere else

from airflow_provider_lake.client.errors import LakeError
from airflow_provider_lake.client.transport.base import Response
from airflow_provider_lake.client.transport.curl_request import CurlRequest, Handle, make_handle
from airflow_provider_lake.client.transport.session import ApiRequest, Session
from airflow_provider_lake.triggers.polling.schedule import Schedule, Update, Wait, WatchedJob

logger = logging.getLogger(__name__)

# Requests of one poller that may be in flight at a time, each over its own connection.
MAX_IN_FLIGHT = 128
# Polls that come due within this time start together: many small batches cost more than a few larger ones.
_BATCH_SECONDS = 0.01
# The socket events that libcurl asks for, as events of the selector.
_EVENTS = {
    pycurl.POLL_IN: selectors.EVENT_READ,
    pycurl.POLL_OUT: selectors.EVENT_WRITE,
    pycurl.POLL_INOUT: selectors.EVENT_READ | selectors.EVENT_WRITE,
}

_T = TypeVar("_T")
Result = Response | LakeError
Delivery = Callable[[list[tuple[Wait, Update]]], None]


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """A request, and a callback for its result, called on the poller's thread."""

    request: ApiRequest
    on_done: Callable[[Result], None]


@dataclass(slots=True)
class PollCounts:
    """Counts of a thread's polls so far.

    :param polls: number of polls of jobs.
    :param max_lateness: seconds after its due time at which the most delayed poll started.
    """

    polls: int = 0
    max_lateness: float = 0.0


@dataclass(slots=True)
class _ActiveRequest:
    """A request in flight."""

    curl_request: CurlRequest
    pending: PendingRequest


@dataclass(slots=True)
class _Inbox:
    """Commands from other threads, in the order of their submission."""

    waiting: deque[Callable[[], None]] = field(default_factory=deque)
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_closed: bool = False


class PollerThread(threading.Thread):
    """Polls jobs when they are due, and sends other requests.

    Its only contact with the event loop is through the callbacks below; updates are delivered in batches. The thread
    is a daemon: a triggerer that exits does not wait for it.

    :param session: host, token and transport of the requests.
    :param deliver: called in the event loop with a batch of updates.
    :param renew: called in the event loop with the refused token when the lake refuses it. The refused requests wait
        until :meth:`resend_refused` is called.
    :param fail: called in the event loop with the error if the thread crashes, so that no wait hangs.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        session: Session,
        deliver: Delivery,
        renew: Callable[[str], None],
        fail: Callable[[Exception], None],
    ) -> None:
        super().__init__(name="lake-poller", daemon=True)
        self.counts = PollCounts()
        self._loop = loop
        self._session = session
        self._deliver = deliver
        self._renew = renew
        self._fail = fail
        self._schedule = Schedule()
        self._requests: deque[PendingRequest] = deque()
        self._refused: list[tuple[PendingRequest, Result]] = []
        self._inbox = _Inbox()
        self._active: dict[Handle, _ActiveRequest] = {}
        self._idle: list[Handle] = []
        self._curl_timer_at: float | None = None
        self._next_batch_at = 0.0
        self._wake_writer, self._wake_reader = socket.socketpair()
        # Resources to close at the end, as far as they were opened.
        self._opened = ExitStack()
        for end in (self._wake_writer, self._wake_reader):
            self._opened.enter_context(end)

    def watch(self, wait: Wait) -> None:
        """Poll the jobs of a wait from now on."""
        self._submit(lambda: self._schedule.add(wait, time.monotonic()))

    def unwatch(self, wait: Wait) -> None:
        """Remove a wait."""
        self._submit(lambda: self._schedule.remove(wait))

    def send(self, request: PendingRequest) -> None:
        """Send a request as soon as there is room for it."""
        self._submit(lambda: self._requests.append(request))

    def resend_refused(self) -> None:
        """Send requests again that the lake has refused because of their token, if the session has a new token."""
        self._submit(self._send_refused)

    def close(self) -> None:
        """Stop the thread; requests in flight are cancelled."""
        self._submit(self._close)

    def run(self) -> None:
        """Serve until closed."""
        try:
            self._set_up()
            while not self._inbox.is_closed:
                self._serve_once()
        except Exception as error:
            logger.exception("The poller has broken down")
            self._call_in_loop(self._fail, error)
        finally:
            self._close_handles()

    def _set_up(self) -> None:
        """Open selector and multi handle; this fails in a process that has reached its limit of open files."""
        self._wake_reader.setblocking(False)
        self._selector = self._opened.enter_context(selectors.DefaultSelector())
        self._selector.register(self._wake_reader, selectors.EVENT_READ)
        self._multi = self._opened.enter_context(closing(pycurl.CurlMulti()))
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        self._multi.setopt(pycurl.M_MAXCONNECTS, MAX_IN_FLIGHT)

    def _serve_once(self) -> None:
        """Wait for the next event or due time, and process it."""
        events = self._selector.select(self._wait_seconds())
        for key, mask in events:
            if key.fileobj is self._wake_reader:
                self._run_commands()
            else:
                bits = (pycurl.CSELECT_IN if mask & selectors.EVENT_READ else 0) | (
                    pycurl.CSELECT_OUT if mask & selectors.EVENT_WRITE else 0
                )
                self._multi.socket_action(key.fd, bits)
        if self._curl_timer_at is not None and self._curl_timer_at <= time.monotonic():
            self._curl_timer_at = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        self._finish_requests()
        self._start_requests()
        self._deliver_updates()

    def _wait_seconds(self) -> float | None:
        """Return the seconds until the next timer or due poll; None: wait for events only."""
        # Without room for another request, the next poll must wait until one in flight ends.
        due = self._schedule.next_due() if len(self._active) < MAX_IN_FLIGHT else None
        nexts = [
            moment for moment in (self._curl_timer_at, due and max(due, self._next_batch_at)) if moment is not None
        ]
        return max(0.0, min(nexts) - time.monotonic()) if nexts else None

    def _submit(self, command: Callable[[], None]) -> None:
        with self._inbox.lock:
            if self._inbox.is_closed:
                return
            self._inbox.waiting.append(command)
            if len(self._inbox.waiting) == 1:
                self._wake_writer.send(b"\0")

    def _run_commands(self) -> None:
        with self._inbox.lock:
            self._wake_reader.recv(1)
            commands, self._inbox.waiting = self._inbox.waiting, deque()
        for command in commands:
            command()

    def _close(self) -> None:
        with self._inbox.lock:
            self._inbox.is_closed = True

    def _close_handles(self) -> None:
        with self._inbox.lock:
            self._inbox.is_closed = True
        for handle in self._active:
            self._multi.remove_handle(handle)
        for handle in [*self._active, *self._idle]:
            handle.close()
        self._opened.close()

    def _start_requests(self) -> None:
        while self._requests and len(self._active) < MAX_IN_FLIGHT:
            self._start(self._requests.popleft())
        now = time.monotonic()
        if now < self._next_batch_at:
            return
        self._next_batch_at = now + _BATCH_SECONDS
        while len(self._active) < MAX_IN_FLIGHT and (job := self._schedule.pop_due(now)) is not None:
            self.counts.polls += 1
            self.counts.max_lateness = max(self.counts.max_lateness, now - job.poll_at)
            request = self._session.build_request("GET", job.path)
            self._start(PendingRequest(request, _on_poll_done(self._schedule, job)))

    def _start(self, pending: PendingRequest) -> None:
        transport, request = self._session.transport, pending.request
        handle = self._idle.pop() if self._idle else make_handle(transport.timeout, transport.verify)
        try:
            curl_request = CurlRequest(handle, request.method, request.url, headers=request.headers, body=request.body)
        except LakeError as error:
            self._idle.append(handle)
            pending.on_done(error)
            return
        self._active[handle] = _ActiveRequest(curl_request, pending)
        self._multi.add_handle(handle)

    def _finish_requests(self) -> None:
        if not self._active:
            return
        more = 1
        while more:
            more, succeeded, failed = self._multi.info_read()
            for handle in succeeded:
                self._finish(handle, CurlRequest.response)
            for handle, code, message in failed:
                self._finish(handle, partial(CurlRequest.lake_error, code=code, message=message))

    def _finish(self, handle: Handle, read: Callable[[CurlRequest], Result]) -> None:
        active = self._active.pop(handle)
        result = read(active.curl_request)
        self._multi.remove_handle(handle)
        self._idle.append(handle)
        if isinstance(result, Response) and result.status == HTTPStatus.UNAUTHORIZED:
            self._refused.append((active.pending, result))
            if len(self._refused) == 1:
                self._call_in_loop(self._renew, active.pending.request.token)
        else:
            active.pending.on_done(result)

    def _send_refused(self) -> None:
        refused, self._refused = self._refused, []
        for pending, result in refused:
            renewed = self._session.with_new_token(pending.request)
            if renewed is None:
                pending.on_done(result)
            else:
                self._requests.append(PendingRequest(renewed, pending.on_done))

    def _call_in_loop(self, callback: Callable[[_T], None], argument: _T) -> bool:
        """Call a function in the event loop; return False if the loop is closed and nothing waits any more."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, argument)
            return True
        return False

    def _deliver_updates(self) -> None:
        if self._schedule.outbox:
            batch, self._schedule.outbox = self._schedule.outbox, []
            if not self._call_in_loop(self._deliver, batch):
                self._close()

    def _on_socket(self, what: int, descriptor: int, *_multi: Any) -> None:
        """Register a socket for the events that libcurl asks for."""
        if what == pycurl.POLL_REMOVE:
            with suppress(KeyError):
                self._selector.unregister(descriptor)
        elif descriptor in self._selector.get_map():
            self._selector.modify(descriptor, _EVENTS[what])
        else:
            self._selector.register(descriptor, _EVENTS[what])

    def _on_timer(self, milliseconds: int) -> None:
        """Store the time at which libcurl wants to be called; -1: not at all."""
        self._curl_timer_at = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000


def _on_poll_done(schedule: Schedule, job: WatchedJob) -> Callable[[Result], None]:
    """Return a callback that passes the result of a job's poll to the schedule."""
    return lambda result: schedule.record_result(job, result, time.monotonic())
