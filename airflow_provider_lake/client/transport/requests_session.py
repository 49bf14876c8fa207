"""The transport by a ``requests.Session`` that the user passes: the only module that imports that library."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow_provider_lake.client.errors import TransportError, UsageError
from airflow_provider_lake.client.transport.base import (
    BLOCK_SIZE,
    PLAIN_HTTP_REFUSED,
    TLS_REFUSED,
    RequestBody,
    Response,
    ResponseHandler,
    authority_of,
    without_secrets,
)

if TYPE_CHECKING:
    import requests

# The first bytes of a TLS alert, and OpenSSL's name for a response that is not TLS.
_TLS_ALERT = "\x15\x03"
_NOT_TLS = "WRONG_VERSION_NUMBER"


class RequestsTransport:
    """Sends through one session, which is neither changed nor closed.

    :param timeout: seconds to wait for a connection, and for each next bytes of a response.
    """

    def __init__(self, session: "requests.Session", timeout: float, verify: bool | str) -> None:
        self._session = session
        self.timeout = timeout
        self.verify = verify

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | RequestBody | None = None,
        all_headers: bool = False,  # noqa: ARG002 - all headers are there anyway
    ) -> Response:
        """Send a request, as :class:`Transport` describes."""
        with self._open(method, url, headers, body, follow=False) as raw:
            return Response(raw.status_code, raw.headers, raw.content)

    def stream(self, url: str, headers: Mapping[str, str], on_response: ResponseHandler) -> Response:
        """GET a URL and pass the body on as it arrives, as :class:`Transport` describes."""
        with self._open("GET", url, {"Accept-Encoding": "identity", **headers}, None, follow=True) as raw:
            response = Response(raw.status_code, raw.headers, b"")
            write_chunk = on_response(response)
            if write_chunk is not None:
                for chunk in raw.iter_content(BLOCK_SIZE):
                    write_chunk(chunk)
            return response

    def close(self) -> None:
        """Leave the session open: its owner closes it."""

    def _verify_argument(self) -> bool | str | None:
        """Return the client's setting for certificates, or None to use the session's."""
        # None leaves it to the session, and then to the environment.
        return None if self.verify is True else self.verify

    @contextmanager
    def _open(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | RequestBody | None, *, follow: bool
    ) -> "Iterator[requests.Response]":
        """Send and yield the response; convert the library's errors, without the query, which may hold a signature."""
        import requests  # noqa: PLC0415 - costs what importing all the rest of the client does

        target = f"{method} {without_secrets(url)}"
        try:
            with self._send(method, url, headers, body, follow=follow) as raw:
                yield raw
        except requests.RequestException as error:
            if isinstance(error, ValueError):
                raise UsageError(f"{target} cannot be sent: {type(error).__name__}") from None
            reason, was_sent = _reason_and_was_sent(error)
            if _TLS_ALERT in reason:
                raise UsageError(f"{authority_of(url)} {PLAIN_HTTP_REFUSED}") from None
            if _NOT_TLS in reason:
                reason, was_sent = f"{authority_of(url)} {TLS_REFUSED}", False
            raise TransportError(f"no usable answer to {target}: {reason}", was_sent) from None

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | RequestBody | None, *, follow: bool
    ) -> "requests.Response":
        """Send, and return the response with its body unread.

        :raises UsageError: a certificate file of the session is missing.
        """
        import requests  # noqa: PLC0415 - costs what importing all the rest of the client does

        try:
            return self._session.request(
                method,
                url,
                headers=headers,
                data=body,  # an object with read() and a length is streamed
                auth=_keep_authorization,
                timeout=self.timeout,
                verify=self._verify_argument(),
                allow_redirects=follow,
                stream=True,
            )
        except requests.RequestException:
            raise
        except OSError as error:
            # With this error requests reports a missing file of certificates or keys.
            raise UsageError(f"{method} {without_secrets(url)} cannot be sent: {error}") from None


def _keep_authorization(request: "requests.PreparedRequest") -> "requests.PreparedRequest":
    """Return a request unchanged; without this, a matching line of ~/.netrc would replace our Authorization."""
    return request


def _reason_and_was_sent(error: "requests.RequestException") -> tuple[str, bool]:
    """Return why there is no response, and whether the request may have reached the server."""
    import urllib3.exceptions  # noqa: PLC0415 - comes with requests

    cause = error.args[0] if error.args else error
    reason = getattr(cause, "reason", None) or cause
    if isinstance(reason, urllib3.exceptions.ProtocolError):
        reason = reason.args[-1]
    unsent = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
    return str(reason), not isinstance(reason, unsent)
