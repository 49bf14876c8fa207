"""One piece of work attempted until it succeeds: one loop, which counts all attempts and all waits of that work.

Loops do not nest. Whatever takes several requests to be done once, such as a registration that is looked up after an
unclear answer, makes them within one attempt; whatever is done in stages hands the same :class:`Attempts` down.
"""

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from airflow_provider_lake.client.errors import ResponseError, TransportError
from airflow_provider_lake.client.transport.retry import Outcome, RetryPolicy

logger = logging.getLogger(__name__)

_T = TypeVar("_T")


class Attempts:
    """What a policy leaves of attempts and waits for one piece of work.

    :param policy: how many, how long.
    :param pause: waits so many seconds.
    """

    def __init__(self, policy: RetryPolicy, pause: Callable[[float], object] = time.sleep) -> None:
        self.policy = policy
        self._pause = pause
        self._failed = 0
        self._waited = 0.0

    def repeat(self, attempt: Callable[[], _T], *, repeatable: bool) -> _T:
        """Attempt something until it succeeds or the policy gives up, and return its result.

        :param repeatable: whether to attempt it again when the last attempt may have been acted on.
        :raises LakeError: of the last attempt.
        """
        while True:
            try:
                return attempt()
            except (TransportError, ResponseError) as error:
                self._failed += 1
                outcome = outcome_of(error)
                wait = self.policy.delay(self._failed, self._waited, outcome, random.random())
                if wait is None or (outcome.is_ambiguous and not repeatable):
                    raise
                number = self._failed + 1
                logger.warning("%s; attempt %d of %d follows in %.1f s", error, number, self.policy.attempts, wait)
            self._pause(wait)
            self._waited += wait


def outcome_of(error: TransportError | ResponseError) -> Outcome:
    """Return what an error says about the fate of its request."""
    if isinstance(error, TransportError):
        return Outcome(was_sent=error.was_sent)
    return Outcome(error.status, error.retry_after)
