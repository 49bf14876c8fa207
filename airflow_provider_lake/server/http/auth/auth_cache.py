"""Who was let into which datalake a moment ago."""

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
    """That a token may use a datalake.

    :param token_sha256: digest of the token.
    :param caller: whose it is.
    """

    token_sha256: str
    caller: Caller
    datalake: Datalake


class AuthCache:
    """Remembers admissions for a second, so that not every request of a busy client asks the database.

    What is written with one is written only where the same transaction still finds the token.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, tuple[float, Authorization]] = OrderedDict()

    def find(self, key: Hashable) -> Authorization | None:
        """Return what was remembered, unless that is too long ago."""
        until, authorization = self._known.get(key, (0.0, None))
        return authorization if time.monotonic() < until else None

    def add(self, key: Hashable, authorization: Authorization) -> None:
        """Remember an authorization."""
        self._known[key] = (time.monotonic() + _SECONDS, authorization)
        self._known.move_to_end(key)
        if len(self._known) > _MAX_AUTHORIZATIONS:
            self._known.popitem(last=False)
