"""Limits how many wrong tokens one address may try in a minute.

A repeated wrong token counts once, so that a client whose token was revoked gets a plain 401 however often it sends
it. A token that has worked from an address continues to work while others from there are rejected.
"""

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from airflow_provider_lake.server.errors import TooManyRequestsError

MAX_FAILED_LOGINS = 20
WINDOW_SECONDS = 60.0
MAX_ADDRESSES = 4096
_MAX_KNOWN = 16
# The holder of one IPv6 address usually has a whole network of this prefix length.
_IPV6_NETWORK_BITS = 64


@dataclass(slots=True)
class _Attempts:
    """The tokens tried from one address, as digests, the oldest first."""

    wrong: OrderedDict[str, float] = field(default_factory=OrderedDict)
    right: OrderedDict[str, None] = field(default_factory=OrderedDict)


class FailedLogins:
    """Counts the wrong tokens of each address; if there are too many addresses, it drops the least recently used.

    :param now: returns the seconds of a monotonic clock.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._addresses: OrderedDict[str, _Attempts] = OrderedDict()

    def check(self, address: str, digest: str) -> None:
        """Check that a token may be looked up.

        :raises TooManyRequestsError: too many other tokens from this address were wrong.
        """
        with self._lock:
            tried = self._addresses.get(_network(address))
            if tried is None or digest in tried.right or digest in tried.wrong:
                return
            now = self._now()
            while tried.wrong and (oldest := next(iter(tried.wrong.values()))) <= now - WINDOW_SECONDS:
                tried.wrong.popitem(last=False)
            if len(tried.wrong) < MAX_FAILED_LOGINS:
                return
            seconds = math.ceil(oldest + WINDOW_SECONDS - now)
        raise TooManyRequestsError(
            f"too many wrong API tokens from this address: wait {seconds} s", headers={"Retry-After": str(seconds)}
        )

    def record_failure(self, address: str, digest: str) -> None:
        """Record that a token is unknown."""
        with self._lock:
            tried = self._tried(address)
            tried.right.pop(digest, None)
            if digest not in tried.wrong and len(tried.wrong) < MAX_FAILED_LOGINS:
                tried.wrong[digest] = self._now()

    def record_success(self, address: str, digest: str) -> None:
        """Record that a token is valid."""
        with self._lock:
            tried = self._tried(address)
            tried.wrong.pop(digest, None)
            tried.right[digest] = None
            tried.right.move_to_end(digest)
            if len(tried.right) > _MAX_KNOWN:
                tried.right.popitem(last=False)

    def _tried(self, address: str) -> _Attempts:
        network = _network(address)
        tried = self._addresses.setdefault(network, _Attempts())
        self._addresses.move_to_end(network)
        if len(self._addresses) > MAX_ADDRESSES:
            self._addresses.popitem(last=False)
        return tried


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, _IPV6_NETWORK_BITS), strict=False))
    return str(parsed)
