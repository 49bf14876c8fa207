"""What object storage says of the bytes that it has taken, compared with those that were sent."""

import base64
import logging
import re
from collections.abc import Callable
from uuid import UUID

from airflow_provider_lake.client.errors import TransportError
from airflow_provider_lake.client.transfers.files import FileBody
from airflow_provider_lake.client.transport.base import Response
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
    def are_reported(self) -> bool:
        """Whether the storage gives any, and they are compared."""
        return self._connector_id in self._session.connectors_with_digests

    @property
    def are_unreliable(self) -> bool:
        """Whether its ETags have shown to be something else, though they look like digests."""
        return self._connector_id in self._session.connectors_without_digests

    def comparison_for(self, object_name: str) -> "Comparison":
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
        self._mismatched = False

    def compare(self, response: Response, body: FileBody, is_stored: Callable[[], bool]) -> None:
        """Compare the MD5 that a response gives, if it gives one, with that of what was sent.

        :param body: what the response speaks of.
        :param is_stored: looks whether the storage has as many bytes as there are.
        :raises TransportError: it has other bytes.
        """
        session, connector_id = self._session, self._connector_id
        reported = _digest(response, with_etag=connector_id not in session.connectors_without_digests)
        if reported is None or not session.compare_digests:
            session.connectors_with_digests.discard(connector_id)
            return
        session.connectors_with_digests.add(connector_id)
        if reported == base64.b64encode(body.digest()).decode():
            return
        is_doubtful = self._mismatched and "Content-MD5" not in response.headers
        self._mismatched = True
        if not is_doubtful or not is_stored():
            raise TransportError(f"object storage has other bytes of {self._object_name} than were sent")
        logger.warning("the ETags of this object storage are no MD5: from now on only sizes are compared")
        session.connectors_without_digests.add(connector_id)
        session.connectors_with_digests.discard(connector_id)


def _digest(response: Response, *, with_etag: bool) -> str | None:
    """Return the MD5, in base64, that a storage gives of what it took; None: it gives none."""
    if any(name.lower().startswith(_ENCRYPTED) for name in response.headers):
        # With keys of the user's own, ETags are no digests.
        return None
    reported = response.headers.get("Content-MD5")
    if reported is not None:
        return reported
    etag = response.headers.get("ETag", "").strip('"').lower()
    return base64.b64encode(bytes.fromhex(etag)).decode() if with_etag and _MD5.fullmatch(etag) else None
