"""Exchanges by a session of requests, which a user may hand in: the only module that knows that library."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow_provider_lake.client.errors import TransportError, UsageError
from airflow_provider_lake.client.exchange import BLOCK_SIZE, Answer, Begin, Body, unsigned

if TYPE_CHECKING:
    import requests


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
            with self._session.request(
                method,
                url,
                headers=headers,
                data=body,  # what has read() and a length is streamed
                auth=_keep_headers,
                timeout=self._timeout,
                verify=self._verify_of(),
                allow_redirects=follow,
                stream=True,
            ) as response:
                yield response
        except requests.RequestException as error:
            if isinstance(error, ValueError):
                raise UsageError(f"{target} cannot be sent: {type(error).__name__}") from None
            reason, was_sent = _explain(error)
            raise TransportError(f"no usable answer to {target}: {reason}", was_sent) from None


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
