"""What object storage says of the bytes that it has taken, compared with those that were sent."""

import base64
import logging
import re
from collections.abc import Callable
from uuid import UUID

from airflow_provider_lake.client.errors import TransportError
from airflow_provider_lake.client.transfers.files import FileBody
from airflow_provider_lake.client.transport.base import Answer
from airflow_provider_lake.client.transport.session import Session

logger = logging.getLogger(__name__)

_MD5 = re.compile("[0-9a-f]{32}")
_ENCRYPTED = ("x-amz-server-side-encryption-", "x-goog-encryption-")


class Digests:
    """The digests that the storage of one connector gives; what is known of them is kept by the session.

    :param connector_id: its connector.
    """

    def __init__(self, session: Session, connector_id: UUID) -> None:
        self._session = session
        self._connector_id = connector_id

    @property
    def are_given(self) -> bool:
        """Whether the storage gives any, and they are compared."""
        return self._connector_id in self._session.with_digests

    @property
    def are_doubtful(self) -> bool:
        """Whether its ETags have shown to be something else, though they look like digests."""
        return self._connector_id in self._session.without_digests

    def of_one(self, object_name: str) -> "Comparison":
        """Return what compares all attempts to send the same bytes.

        :param object_name: of what they are, or belong to.
        """
        return Comparison(self._session, self._connector_id, object_name)


class Comparison:
    """The comparison of what attempts to send the same bytes come to.

    Bytes that were garbled on their way are sent again. Where an ETag differs twice, it may be no digest at all: some
    storages, and those that encrypt by themselves, give 32 other hexadecimal digits. Then the size decides, and the
    storage's ETags are not looked at any more. A ``Content-MD5`` is always a digest.
    """

    def __init__(self, session: Session, connector_id: UUID, object_name: str) -> None:
        self._session = session
        self._connector_id = connector_id
        self._object_name = object_name
        self._differed = False

    def compare(self, answer: Answer, body: FileBody, is_stored: Callable[[], bool]) -> None:
        """Compare the MD5 that an answer gives, if it gives one, with that of what was sent.

        :param body: what the answer speaks of.
        :param is_stored: looks whether the storage has as many bytes as there are.
        :raises TransportError: it has other bytes.
        """
        session, connector_id = self._session, self._connector_id
        said = _digest(answer, with_etag=connector_id not in session.without_digests)
        if said is None or not session.compares_digests:
            session.with_digests.discard(connector_id)
            return
        session.with_digests.add(connector_id)
        if said == base64.b64encode(body.digest()).decode():
            return
        is_doubtful = self._differed and "Content-MD5" not in answer.headers
        self._differed = True
        if not is_doubtful or not is_stored():
            raise TransportError(f"object storage has other bytes of {self._object_name} than were sent")
        logger.warning("the ETags of this object storage are no MD5: from now on only sizes are compared")
        session.without_digests.add(connector_id)
        session.with_digests.discard(connector_id)


def _digest(answer: Answer, *, with_etag: bool) -> str | None:
    """Return the MD5, in base64, that a storage gives of what it took; None: it gives none."""
    if any(name.lower().startswith(_ENCRYPTED) for name in answer.headers):
        # With keys of the user's own, ETags are no digests.
        return None
    said = answer.headers.get("Content-MD5")
    if said is not None:
        return said
    etag = answer.headers.get("ETag", "").strip('"').lower()
    return base64.b64encode(bytes.fromhex(etag)).decode() if with_etag and _MD5.fullmatch(etag) else None
