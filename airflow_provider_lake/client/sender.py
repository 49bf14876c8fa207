"""One HTTP exchange: the only module that knows which HTTP library sends."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter

from airflow_provider_lake import __version__
from airflow_provider_lake.client.errors import TransportError, UsageError
from airflow_provider_lake.client.exchange import BLOCK_SIZE, Answer, Body

# Wider than any sensible number of upload workers: a pool that is full throws connections away.
_CONNECTIONS = 256


class Sender:
    """Sends single requests; may be used by many threads at a time.

    Nothing is repeated, which is a decision for those above, and what carries a token or bytes is not redirected.

    :param timeout: seconds to wait for a connection, and for each next bytes of an answer.
    :param verify: whether to check TLS certificates, or the path of the authorities to trust.
    :param session: sends instead of one made here, for proxies, client certificates and the like.
    """

    def __init__(self, timeout: float, verify: bool | str, session: requests.Session | None = None) -> None:
        self.timeout = timeout
        self.verify = verify
        self._session = session or _make_session()

    def send(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | Body | None = None) -> Answer:
        """Make one exchange.

        :raises TransportError: no complete answer came.
        :raises UsageError: the URL or a header cannot be sent at all.
        """
        with self._open(method, url, headers, body) as response:
            return Answer(response.status_code, response.headers, response.content)

    @contextmanager
    def stream(self, url: str, headers: Mapping[str, str]) -> Iterator[tuple[Answer, Iterator[bytes]]]:
        """GET a URL, wherever it leads, and hand out the head of the answer, without body, and the body in pieces.

        :raises TransportError: as :meth:`send`, also while the pieces are read.
        """
        with self._open("GET", url, {"Accept-Encoding": "identity", **headers}, None, follow=True) as response:
            yield Answer(response.status_code, response.headers, b""), response.iter_content(BLOCK_SIZE)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    @contextmanager
    def _open(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | Body | None, *, follow: bool = False
    ) -> Iterator[requests.Response]:
        """Send and hand out the answer; the library's errors become ours, less the query: it may hold a signature."""
        target = f"{method} {url.partition('?')[0]}"
        try:
            with self._session.request(
                method,
                url,
                headers=headers,
                data=body,  # what has read() and a length is streamed
                auth=_keep_headers,
                timeout=self.timeout,
                verify=self.verify,
                allow_redirects=follow,
                stream=True,
            ) as response:
                yield response
        except requests.RequestException as error:
            if isinstance(error, ValueError):
                raise UsageError(f"{target} cannot be sent: {type(error).__name__}") from None
            reason, was_sent = _explain(error)
            raise TransportError(f"no usable answer to {target}: {reason}", was_sent) from None


def _make_session() -> requests.Session:
    session = requests.Session()
    adapter = HTTPAdapter(pool_maxsize=_CONNECTIONS)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    session.headers["User-Agent"] = f"airflow-provider-lake/{__version__}"
    return session


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave a request as it is; without this, a matching line of ~/.netrc would replace our Authorization."""
    return request


def _explain(error: requests.RequestException) -> tuple[str, bool]:
    """Return why there is no answer, and whether the request may have reached the server."""
    cause = error.args[0] if error.args else error
    reason = getattr(cause, "reason", None) or cause
    if isinstance(reason, urllib3.exceptions.ProtocolError):
        reason = reason.args[-1]
    unsent = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
    return str(reason), not isinstance(reason, unsent)
