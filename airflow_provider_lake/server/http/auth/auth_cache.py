"""A cache of authorizations: which token may use which datalake."""

import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from airflow_provider_lake.server.http.auth.caller import Caller
from airflow_provider_lake.server.store.tables import Datalake

_SECONDS = 1.0
_MAX_AUTHORIZATIONS = 1024


@dataclass(frozen=True, slots=True)
class Authorization:
    """The result of a check that a token may use a datalake.

    :param token_sha256: digest of the token.
    :param caller: whose token it is.
    """

    token_sha256: str
    caller: Caller
    datalake: Datalake


class AuthCache:
    """Stores authorizations for a second, so that not every request of a busy client queries the database.

    A write that relies on a cached authorization must check in its own transaction that the token still exists.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, tuple[float, Authorization]] = OrderedDict()

    def find(self, key: Hashable) -> Authorization | None:
        """Return the cached authorization, if it has not expired."""
        until, authorization = self._known.get(key, (0.0, None))
        return authorization if time.monotonic() < until else None

    def add(self, key: Hashable, authorization: Authorization) -> None:
        """Store an authorization."""
        self._known[key] = (time.monotonic() + _SECONDS, authorization)
        self._known.move_to_end(key)
        if len(self._known) > _MAX_AUTHORIZATIONS:
            self._known.popitem(last=False)
