"""HTTP requests and responses, and the protocol of a transport, which sends one and returns the other."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

# Bytes of a body to read at a time.
BLOCK_SIZE = 1 << 16
# Ends of messages about a URL with the wrong scheme, after its host.
PLAIN_HTTP_REFUSED = "does not speak plain HTTP: if it speaks TLS, write https://"
TLS_REFUSED = "does not speak TLS: for a lake without it, write http://"


class RequestBody(Protocol):
    """A request's body that is read while it is sent."""

    def __len__(self) -> int: ...

    def read(self, size: int = BLOCK_SIZE, /) -> bytes:
        """Return the next bytes, at most ``size`` of them; none at the end."""
        ...


class Headers(Mapping[str, str]):
    """Headers of a response, looked up in any case and parsed when needed: most are not.

    :param lines: status line and headers as they came, after those of any redirects.
    """

    __slots__ = ("_fields", "_lines")

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._lines = lines
        self._fields: dict[str, str] | None = None

    def __getitem__(self, name: str) -> str:
        return self._parsed()[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parsed())

    def __len__(self) -> int:
        return len(self._parsed())

    def _parsed(self) -> dict[str, str]:
        if self._fields is None:
            fields: dict[str, str] = {}
            for line in self._lines:
                name, colon, value = line.decode("latin-1").partition(":")
                if colon:
                    fields[name.strip().lower()] = value.strip()
                elif name.startswith("HTTP/"):
                    fields.clear()
            self._fields = fields
        return self._fields


@dataclass(frozen=True, slots=True)
class Response:
    """A response to one request.

    :param headers: names are looked up in any case.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP's own numbers


# Called with status and headers; returns a function that takes the chunks of the body, or None to skip it.
ResponseHandler = Callable[[Response], Callable[[bytes], object] | None]


class Transport(Protocol):
    """Sends single requests; may be used by many threads at a time.

    It repeats nothing, and knows nothing of tokens.
    """

    @property
    def timeout(self) -> float:
        """Seconds to wait for a connection, and without any byte in either direction."""
        ...

    @property
    def verify(self) -> bool | str:
        """Whether to check TLS certificates, or the path of the CA bundle to check them by."""
        ...

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | RequestBody | None = None,
        all_headers: bool = False,
    ) -> Response:
        """Send a request and return its response; redirects are not followed.

        :param all_headers: whether more headers are needed than ``Content-Type`` and, of a response that is no
            success, ``Retry-After`` and ``Location``.
        :raises TransportError: no complete response came.
        :raises UsageError: the URL or a header cannot be sent at all.
        """
        ...

    def stream(self, url: str, headers: Mapping[str, str], on_response: ResponseHandler) -> Response:
        """GET a URL, follow redirects, and pass the body on as it arrives.

        :param on_response: called with status and headers; returns a function that takes the chunks of the body, or
            None to skip it.
        :return: status and headers.
        :raises TransportError: as :meth:`send`.
        """
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


def authority_of(url: str) -> str:
    """Return the authority of a URL, as ``HOST`` or ``HOST:PORT``."""
    return without_secrets(url).partition("://")[2].partition("/")[0]


def without_secrets(url: str) -> str:
    """Return a URL without its query, which may hold a signature, and without credentials."""
    scheme, separator, rest = url.partition("?")[0].partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"
