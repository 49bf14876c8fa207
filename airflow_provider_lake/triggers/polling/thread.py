"""The thread of a poller: all of its requests, over one pool of connections, and its one schedule.

Loads pycurl and the client, so it is itself loaded only where a poller is made.
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
from airflow_provider_lake.triggers.polling.schedule import News, Schedule, Wait, WatchedJob

logger = logging.getLogger(__name__)

# Requests of one poller that may be under way at a time, each over a connection of its own.
MAX_IN_FLIGHT = 128
# Looks that come due within this time begin together: many small rounds cost more than a few larger ones.
_BATCH_SECONDS = 0.01
# libcurl's words for which events it wants to hear of.
_EVENTS = {
    pycurl.POLL_IN: selectors.EVENT_READ,
    pycurl.POLL_OUT: selectors.EVENT_WRITE,
    pycurl.POLL_INOUT: selectors.EVENT_READ | selectors.EVENT_WRITE,
}

_T = TypeVar("_T")
Outcome = Response | LakeError
Delivery = Callable[[list[tuple[Wait, News]]], None]


@dataclass(frozen=True, slots=True)
class Request:
    """A request, and who wants to know what came of it; told on the poller's thread."""

    call: ApiRequest
    done: Callable[[Outcome], None]


@dataclass(slots=True)
class Counts:
    """What a thread has done so far.

    :param polls: looks at jobs.
    :param late: seconds by which the latest of them came after it was due.
    """

    polls: int = 0
    late: float = 0.0


@dataclass(slots=True)
class _Flight:
    """A request under way."""

    exchange: CurlRequest
    request: Request


@dataclass(slots=True)
class _Orders:
    """What others ask of the thread, in the order of their asking."""

    waiting: deque[Callable[[], None]] = field(default_factory=deque)
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_closed: bool = False


class PollerThread(threading.Thread):
    """Looks at jobs when they are due, and sends what else it is asked to.

    It never touches the event loop but to hand on, batch by batch, what is new. A daemon: a triggerer that ends does
    not wait for it.

    :param session: who asks which lake.
    :param deliver: is called in the event loop with what is new.
    :param renew: is called in the event loop when the lake refuses a token, with that token. Requests that it refused
        wait until somebody calls :meth:`go_on`.
    :param break_down: is called in the event loop if the thread ends by a fault of its own: nobody shall wait in vain.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        session: Session,
        deliver: Delivery,
        renew: Callable[[str], None],
        break_down: Callable[[Exception], None],
    ) -> None:
        super().__init__(name="lake-poller", daemon=True)
        self.counts = Counts()
        self._loop = loop
        self._session = session
        self._deliver = deliver
        self._renew = renew
        self._break_down = break_down
        self._schedule = Schedule()
        self._requests: deque[Request] = deque()
        self._refused: list[tuple[Request, Outcome]] = []
        self._orders = _Orders()
        self._flights: dict[Handle, _Flight] = {}
        self._idle: list[Handle] = []
        self._curl_due: float | None = None
        self._next_looks = 0.0
        self._wake_sender, self._wake_receiver = socket.socketpair()
        # What is closed in the end, as far as it was made.
        self._opened = ExitStack()
        for end in (self._wake_sender, self._wake_receiver):
            self._opened.enter_context(end)

    def watch(self, wait: Wait) -> None:
        """Look at the jobs of a wait from now on."""
        self._order(lambda: self._schedule.add(wait, time.monotonic()))

    def unwatch(self, wait: Wait) -> None:
        """Forget a wait."""
        self._order(lambda: self._schedule.remove(wait))

    def send(self, request: Request) -> None:
        """Send a request as soon as there is room for it."""
        self._order(lambda: self._requests.append(request))

    def go_on(self) -> None:
        """Send again what the lake has refused for its token, if the session has another now."""
        self._order(self._send_refused)

    def close(self) -> None:
        """End the thread; what is under way is given up."""
        self._order(self._close)

    def run(self) -> None:
        """Serve until closed."""
        try:
            self._set_up()
            while not self._orders.is_closed:
                self._serve_once()
        except Exception as error:
            logger.exception("The poller has broken down")
            self._tell(self._break_down, error)
        finally:
            self._release()

    def _set_up(self) -> None:
        """Make what the thread waits with; a process that has all its files open already can make none of it."""
        self._wake_receiver.setblocking(False)
        self._selector = self._opened.enter_context(selectors.DefaultSelector())
        self._selector.register(self._wake_receiver, selectors.EVENT_READ)
        self._multi = self._opened.enter_context(closing(pycurl.CurlMulti()))
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._follow_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._follow_timer)
        self._multi.setopt(pycurl.M_MAXCONNECTS, MAX_IN_FLIGHT)

    def _serve_once(self) -> None:
        """Wait until something is to be done, and do it."""
        events = self._selector.select(self._wait_seconds())
        for key, mask in events:
            if key.fileobj is self._wake_receiver:
                self._take_orders()
            else:
                bits = (pycurl.CSELECT_IN if mask & selectors.EVENT_READ else 0) | (
                    pycurl.CSELECT_OUT if mask & selectors.EVENT_WRITE else 0
                )
                self._multi.socket_action(key.fd, bits)
        if self._curl_due is not None and self._curl_due <= time.monotonic():
            self._curl_due = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        self._finish_flights()
        self._start_flights()
        self._hand_on()

    def _wait_seconds(self) -> float | None:
        """Return how long nothing is to be done unless something comes in; None: for ever."""
        # With no room for another request, it is the end of one that is waited for.
        due = self._schedule.next_due() if len(self._flights) < MAX_IN_FLIGHT else None
        nexts = [moment for moment in (self._curl_due, due and max(due, self._next_looks)) if moment is not None]
        return max(0.0, min(nexts) - time.monotonic()) if nexts else None

    def _order(self, order: Callable[[], None]) -> None:
        with self._orders.lock:
            if self._orders.is_closed:
                return
            self._orders.waiting.append(order)
            if len(self._orders.waiting) == 1:
                self._wake_sender.send(b"\0")

    def _take_orders(self) -> None:
        with self._orders.lock:
            self._wake_receiver.recv(1)
            orders, self._orders.waiting = self._orders.waiting, deque()
        for order in orders:
            order()

    def _close(self) -> None:
        with self._orders.lock:
            self._orders.is_closed = True

    def _release(self) -> None:
        with self._orders.lock:
            self._orders.is_closed = True
        for handle in self._flights:
            self._multi.remove_handle(handle)
        for handle in [*self._flights, *self._idle]:
            handle.close()
        self._opened.close()

    def _start_flights(self) -> None:
        while self._requests and len(self._flights) < MAX_IN_FLIGHT:
            self._start(self._requests.popleft())
        now = time.monotonic()
        if now < self._next_looks:
            return
        self._next_looks = now + _BATCH_SECONDS
        while len(self._flights) < MAX_IN_FLIGHT and (job := self._schedule.pop_due(now)) is not None:
            self.counts.polls += 1
            self.counts.late = max(self.counts.late, now - job.poll_at)
            self._start(Request(self._session.build_request("GET", job.path), _teller(self._schedule, job)))

    def _start(self, request: Request) -> None:
        transport, call = self._session.transport, request.call
        handle = self._idle.pop() if self._idle else make_handle(transport.timeout, transport.verify)
        try:
            exchange = CurlRequest(handle, call.method, call.url, headers=call.headers, body=call.body)
        except LakeError as error:
            self._idle.append(handle)
            request.done(error)
            return
        self._flights[handle] = _Flight(exchange, request)
        self._multi.add_handle(handle)

    def _finish_flights(self) -> None:
        if not self._flights:
            return
        more = 1
        while more:
            more, succeeded, failed = self._multi.info_read()
            for handle in succeeded:
                self._finish(handle, CurlRequest.response)
            for handle, code, message in failed:
                self._finish(handle, partial(CurlRequest.lake_error, code=code, message=message))

    def _finish(self, handle: Handle, read: Callable[[CurlRequest], Outcome]) -> None:
        flight = self._flights.pop(handle)
        outcome = read(flight.exchange)
        self._multi.remove_handle(handle)
        self._idle.append(handle)
        if isinstance(outcome, Response) and outcome.status == HTTPStatus.UNAUTHORIZED:
            self._refused.append((flight.request, outcome))
            if len(self._refused) == 1:
                self._tell(self._renew, flight.request.call.token)
        else:
            flight.request.done(outcome)

    def _send_refused(self) -> None:
        refused, self._refused = self._refused, []
        for request, outcome in refused:
            renewed = self._session.with_new_token(request.call)
            if renewed is None:
                request.done(outcome)
            else:
                self._requests.append(Request(renewed, request.done))

    def _tell(self, hear: Callable[[_T], None], what: _T) -> bool:
        """Call something in the event loop, unless that was closed: nobody waits any more then."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(hear, what)
            return True
        return False

    def _hand_on(self) -> None:
        if self._schedule.outbox:
            batch, self._schedule.outbox = self._schedule.outbox, []
            if not self._tell(self._deliver, batch):
                self._close()

    def _follow_socket(self, what: int, descriptor: int, *_multi: Any) -> None:
        """Listen to a socket as libcurl asks."""
        if what == pycurl.POLL_REMOVE:
            with suppress(KeyError):
                self._selector.unregister(descriptor)
        elif descriptor in self._selector.get_map():
            self._selector.modify(descriptor, _EVENTS[what])
        else:
            self._selector.register(descriptor, _EVENTS[what])

    def _follow_timer(self, milliseconds: int) -> None:
        """Remember when libcurl wants to be called; -1: not at all."""
        self._curl_due = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000


def _teller(schedule: Schedule, job: WatchedJob) -> Callable[[Outcome], None]:
    """Return what tells the schedule what came of a look at a job."""
    return lambda outcome: schedule.answered(job, outcome, time.monotonic())
