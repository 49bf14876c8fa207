"""What goes into an HTTP exchange and what comes out of it, whichever library makes it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

# Bytes of a body to read at a time.
BLOCK_SIZE = 1 << 16
# What a wrong scheme of a URL comes to, said after the place.
SPEAKS_NO_HTTP = "does not speak plain HTTP: if it speaks TLS, write https://"
NO_TLS = "does not speak TLS: for a lake without it, write http://"


class Body(Protocol):
    """A request's body that is read while it is sent."""

    def __len__(self) -> int: ...

    def read(self, size: int = BLOCK_SIZE, /) -> bytes:
        """Return the next bytes, at most ``size`` of them; empty: the end."""
        ...


class Headers(Mapping[str, str]):
    """Fields of an answer's head, looked up in any case; most answers are used without a look at them.

    :param lines: the head as it came, with those of redirects before it.
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
class Answer:
    """What came back.

    :param headers: names are looked up in any case.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP's own numbers


# Told the head of an answer, without body; returns what takes the pieces of the body, or None: it is not wanted.
Begin = Callable[[Answer], Callable[[bytes], object] | None]


def place(url: str) -> str:
    """Return where a URL leads, as ``HOST`` or ``HOST:PORT``."""
    return unsigned(url).partition("://")[2].partition("/")[0]


def unsigned(url: str) -> str:
    """Return a URL without what may be secret: the query, which may hold a signature, and credentials of its host."""
    scheme, separator, rest = url.partition("?")[0].partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"
