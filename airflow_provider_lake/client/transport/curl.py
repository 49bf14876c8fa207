"""The transport by libcurl: blocking, over connections that are reused."""

import os
import threading
import time
from collections import deque
from collections.abc import Mapping

import pycurl

from airflow_provider_lake.client.concurrency.cancellation import Cancelled, current_cancel_event, is_cancelled
from airflow_provider_lake.client.errors import LakeError
from airflow_provider_lake.client.transport.base import RequestBody, Response, ResponseHandler
from airflow_provider_lake.client.transport.curl_request import CurlRequest, make_handle

_MAX_SELECT_SECONDS = 0.25
_MIN_SELECT_SECONDS = 0.005


class CurlConnection:
    """Sends requests one after the other, blocking, and reuses its connections."""

    def __init__(self, timeout: float, verify: bool | str) -> None:
        self._handle = make_handle(timeout, verify)
        self._multi = pycurl.CurlMulti()

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | RequestBody | None = None,
        on_response: ResponseHandler | None = None,
        all_headers: bool = False,
    ) -> Response:
        """Send one request, with the arguments of :class:`CurlRequest`.

        :raises TransportError: no complete response came.
        :raises UsageError: the URL or a header cannot be sent at all.
        """
        request = CurlRequest(
            self._handle, method, url, headers=headers, body=body, on_response=on_response, all_headers=all_headers
        )
        # While libcurl waits by itself it handles no signals and passes on no chunks.
        if on_response is not None or threading.current_thread() is threading.main_thread():
            self._perform_stepwise(request)
        else:
            self._perform(request)
        return request.response()

    def close(self) -> None:
        """Close the connections."""
        self._handle.close()
        self._multi.close()

    def _perform(self, request: CurlRequest) -> None:
        """Let libcurl perform a request by itself; about once a second it checks whether this thread is cancelled."""
        stop = current_cancel_event()
        # No signal handler runs in this thread, so no exception is lost in libcurl's callback.
        self._handle.setopt(pycurl.NOPROGRESS, stop is None)
        if stop is not None:
            self._handle.setopt(pycurl.XFERINFOFUNCTION, lambda *_counts: stop.is_set())
        try:
            self._handle.perform()
        except pycurl.error as error:
            if is_cancelled():
                raise Cancelled from None
            raise request.error(*error.args) from None

    def _perform_stepwise(self, request: CurlRequest) -> None:
        """Perform a request step by step, until it has ended or the rest of its body is skipped."""
        self._handle.setopt(pycurl.NOPROGRESS, True)
        self._multi.add_handle(self._handle)
        try:
            is_running = True
            while is_running:
                is_running = self._multi.perform()[1] > 0
                if is_cancelled():
                    raise Cancelled
                if not request.pass_on_body():
                    return
                if is_running and self._multi.select(_MAX_SELECT_SECONDS) < 0:
                    # There is no socket to wait for yet: a host name is being resolved.
                    time.sleep(_MIN_SELECT_SECONDS)
            for _handle, code, message in self._multi.info_read()[2]:
                raise request.error(code, message)
        finally:
            self._multi.remove_handle(self._handle)


# Connections that a forked process inherited; closing them would close the parent's.
_INHERITED_CONNECTIONS: list[deque[CurlConnection]] = []


class CurlTransport:
    """Sends over as many connections as there are threads at work; one connection serves one of them at a time.

    :param timeout: seconds to wait for a connection, and, in whole ones, without any byte in either direction.
    :param verify: whether to check TLS certificates, or the path of the CA bundle to check them by.
    """

    def __init__(self, timeout: float, verify: bool | str) -> None:
        self.timeout = timeout
        self.verify = verify
        self._idle_connections: deque[CurlConnection] = deque()
        self._pid = os.getpid()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | RequestBody | None = None,
        all_headers: bool = False,
    ) -> Response:
        """Send a request, as :class:`Transport` describes."""
        return self._send(method, url, headers, body, None, all_headers)

    def stream(self, url: str, headers: Mapping[str, str], on_response: ResponseHandler) -> Response:
        """GET a URL and pass the body on as it arrives, as :class:`Transport` describes."""
        return self._send("GET", url, headers, None, on_response, all_headers=True)

    def close(self) -> None:
        """Close the connections."""
        idle = self._connections_of_process()
        while idle:
            idle.pop().close()

    def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | RequestBody | None,
        on_response: ResponseHandler | None,
        all_headers: bool,
    ) -> Response:
        idle = self._connections_of_process()
        try:
            connection = idle.pop()
        except IndexError:
            connection = CurlConnection(self.timeout, self.verify)
        # Anything else may be an exception of a signal handler, which leaves libcurl in the middle of a request: such a
        # connection is dropped.
        try:
            response = connection.send(method, url, headers, body, on_response, all_headers)
        except LakeError:
            idle.append(connection)
            raise
        idle.append(connection)
        return response

    def _connections_of_process(self) -> deque[CurlConnection]:
        """Return the idle connections of this process: two processes on one connection would mix up its responses."""
        if self._pid != os.getpid():
            _INHERITED_CONNECTIONS.append(self._idle_connections)
            self._idle_connections, self._pid = deque(), os.getpid()
        return self._idle_connections
