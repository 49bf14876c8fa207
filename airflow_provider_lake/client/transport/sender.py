"""One HTTP exchange: by libcurl, over connections kept here, or by a session of requests that the user made."""

import os
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from airflow_provider_lake.client.transport.base import Answer, Begin, Body
from airflow_provider_lake.client.transport.curl import Line
from airflow_provider_lake.client.transport.requests_session import SessionExchanges

if TYPE_CHECKING:
    import requests

# Lines of a process that forked; to clean them up would end the parent's connections.
_INHERITED: list[deque[Line]] = []


class Exchanges(Protocol):
    """What makes exchanges, for many threads at a time."""

    def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Body | None,
        begin: Begin | None,
        all_fields: bool,
    ) -> Answer:
        """Make one exchange.

        :param begin: takes the answer as it comes, wherever redirects lead to; None: it is kept in memory, and
            redirects are not followed.
        :param all_fields: whether more of the answer's head is wanted than ``Content-Type`` and, of no success,
            ``Retry-After`` and ``Location``.
        """
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


class Sender:
    """Sends single requests; may be used by many threads at a time.

    Nothing is repeated, which is a decision for those above, and what carries a token or bytes is not redirected.

    :param timeout: seconds to wait for a connection, and, in whole ones, without any byte in either direction.
    :param verify: whether to check TLS certificates, or the path of the authorities to trust.
    :param session: sends instead of libcurl, for proxies, client certificates and the like.
    """

    def __init__(self, timeout: float, verify: bool | str, session: "requests.Session | None" = None) -> None:
        self.timeout = timeout
        self.verify = verify
        self._exchanges: Exchanges
        if session is None:
            self._exchanges = _CurlExchanges(timeout, verify)
        else:
            self._exchanges = SessionExchanges(session, timeout, verify)

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | Body | None = None,
        all_fields: bool = False,
    ) -> Answer:
        """Make one exchange.

        :param all_fields: whether more of the answer's head is wanted than ``Content-Type`` and, of no success,
            ``Retry-After`` and ``Location``.
        :raises TransportError: no complete answer came.
        :raises UsageError: the URL or a header cannot be sent at all.
        """
        return self._exchanges.exchange(method, url, headers, body, None, all_fields)

    def fetch(self, url: str, headers: Mapping[str, str], begin: Begin) -> Answer:
        """GET a URL, wherever it leads, and hand the answer over while it comes.

        :param begin: told the head; returns what takes the pieces of the body, or None: it is not wanted.
        :return: the head.
        :raises TransportError: as :meth:`send`.
        """
        return self._exchanges.exchange("GET", url, headers, None, begin, all_fields=True)

    def close(self) -> None:
        """Close the connections."""
        self._exchanges.close()


class _CurlExchanges:
    """Exchanges on as many lines as there are threads at work; a line serves one of them at a time."""

    def __init__(self, timeout: float, verify: bool | str) -> None:
        self._timeout = timeout
        self._verify = verify
        self._idle: deque[Line] = deque()
        self._process = os.getpid()

    def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Body | None,
        begin: Begin | None,
        all_fields: bool,
    ) -> Answer:
        idle = self._idle_here()
        try:
            line = idle.pop()
        except IndexError:
            line = Line(self._timeout, self._verify)
        try:
            return line.exchange(method, url, headers, body, begin, all_fields)
        finally:
            idle.append(line)

    def close(self) -> None:
        idle = self._idle_here()
        while idle:
            idle.pop().close()

    def _idle_here(self) -> deque[Line]:
        """Return the lines of this process: a connection that a fork left in two of them mixes up their answers."""
        if self._process != os.getpid():
            _INHERITED.append(self._idle)
            self._idle, self._process = deque(), os.getpid()
        return self._idle
