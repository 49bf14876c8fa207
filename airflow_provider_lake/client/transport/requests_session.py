"""Exchanges by a session of requests, which a user may hand in: the only module that knows that library."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow_provider_lake.client.errors import TransportError, UsageError
from airflow_provider_lake.client.transport.base import (
    BLOCK_SIZE,
    NO_TLS,
    SPEAKS_NO_HTTP,
    Answer,
    Begin,
    Body,
    place,
    unsigned,
)

if TYPE_CHECKING:
    import requests

# How a TLS alert begins, and OpenSSL's words for an answer that is no TLS.
_SPOKE_TLS = "\x15\x03"
_NOT_TLS = "WRONG_VERSION_NUMBER"


class SessionExchanges:
    """Exchanges by one session; nothing about it is changed, nor is it closed.

    :param timeout: seconds to wait for a connection, and for each next bytes of an answer.
    """

    def __init__(self, session: "requests.Session", timeout: float, verify: bool | str) -> None:
        self._session = session
        self._timeout = timeout
        self._verify = verify

    def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Body | None,
        begin: Begin | None,
        all_fields: bool,  # noqa: ARG002 - here all fields are to be had anyway
    ) -> Answer:
        """Make one exchange.

        :param begin: takes the answer as it comes, wherever redirects lead to.
        :raises TransportError: no complete answer came.
        :raises UsageError: the URL or a header cannot be sent at all.
        """
        if begin is None:
            with self._open(method, url, headers, body, follow=False) as response:
                return Answer(response.status_code, response.headers, response.content)
        with self._open(method, url, {"Accept-Encoding": "identity", **headers}, body, follow=True) as response:
            answer = Answer(response.status_code, response.headers, b"")
            take = begin(answer)
            if take is not None:
                for piece in response.iter_content(BLOCK_SIZE):
                    take(piece)
            return answer

    def close(self) -> None:
        """Leave the session open: it is for whoever made it to close it."""

    def _verify_of(self) -> bool | str | None:
        """Return what to check certificates by: what the client was told, else what the session says."""
        # None leaves it to the session, and behind it to the environment.
        return None if self._verify is True else self._verify

    @contextmanager
    def _open(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | Body | None, *, follow: bool
    ) -> "Iterator[requests.Response]":
        """Send and hand out the answer; the library's errors become ours, less the query: it may hold a signature."""
        import requests  # noqa: PLC0415 - costs what importing all the rest of the client does

        target = f"{method} {unsigned(url)}"
        try:
            with self._send(method, url, headers, body, follow=follow) as response:
                yield response
        except requests.RequestException as error:
            if isinstance(error, ValueError):
                raise UsageError(f"{target} cannot be sent: {type(error).__name__}") from None
            reason, was_sent = _explain(error)
            if _SPOKE_TLS in reason:
                raise UsageError(f"{place(url)} {SPEAKS_NO_HTTP}") from None
            if _NOT_TLS in reason:
                reason, was_sent = f"{place(url)} {NO_TLS}", False
            raise TransportError(f"no usable answer to {target}: {reason}", was_sent) from None

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | Body | None, *, follow: bool
    ) -> "requests.Response":
        """Send, and return the answer up to its body.

        :raises UsageError: the session names certificates that are not there.
        """
        import requests  # noqa: PLC0415 - costs what importing all the rest of the client does

        try:
            return self._session.request(
                method,
                url,
                headers=headers,
                data=body,  # what has read() and a length is streamed
                auth=_keep_headers,
                timeout=self._timeout,
                verify=self._verify_of(),
                allow_redirects=follow,
                stream=True,
            )
        except requests.RequestException:
            raise
        except OSError as error:
            # How requests itself says that a file of certificates or keys is missing.
            raise UsageError(f"{method} {unsigned(url)} cannot be sent: {error}") from None


def _keep_headers(request: "requests.PreparedRequest") -> "requests.PreparedRequest":
    """Leave a request as it is; without this, a matching line of ~/.netrc would replace our Authorization."""
    return request


def _explain(error: "requests.RequestException") -> tuple[str, bool]:
    """Return why there is no answer, and whether the request may have reached the server."""
    import urllib3.exceptions  # noqa: PLC0415 - comes with requests

    cause = error.args[0] if error.args else error
    reason = getattr(cause, "reason", None) or cause
    if isinstance(reason, urllib3.exceptions.ProtocolError):
        reason = reason.args[-1]
    unsent = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
    return str(reason), not isinstance(reason, unsent)
