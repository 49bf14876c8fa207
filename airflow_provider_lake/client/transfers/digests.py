"""Compares the digests that object storage reports for stored bytes with those of the bytes that were sent."""

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
    """The digests that the storage of one connector reports; the session stores whether they are reliable.

    :param connector_id: id of the connector.
    """

    def __init__(self, session: Session, connector_id: UUID) -> None:
        self._session = session
        self._connector_id = connector_id

    @property
    def are_reported(self) -> bool:
        """Whether the storage reports digests, and they are compared."""
        return self._connector_id in self._session.connectors_with_digests

    @property
    def are_unreliable(self) -> bool:
        """Whether its ETags have proved not to be digests, though they look like them."""
        return self._connector_id in self._session.connectors_without_digests

    def comparison_for(self, object_name: str) -> "Comparison":
        """Return a comparison for all attempts to send the same bytes.

        :param object_name: name of the object that they make, or belong to.
        """
        return Comparison(self._session, self._connector_id, object_name)


class Comparison:
    """Compares digests over all attempts to send the same bytes.

    Bytes that were corrupted in transit are sent again. If an ETag differs twice, it may not be a digest at all: some
    storages, such as those that encrypt by default, return 32 other hexadecimal digits. Then the size decides, and
    the storage's ETags are not compared any more. A ``Content-MD5`` is always a digest.
    """

    def __init__(self, session: Session, connector_id: UUID, object_name: str) -> None:
        self._session = session
        self._connector_id = connector_id
        self._object_name = object_name
        self._mismatched = False

    def compare(self, response: Response, body: FileBody, is_stored: Callable[[], bool]) -> None:
        """Compare the MD5 in a response, if there is one, with that of the bytes that were sent.

        :param body: the body that was sent.
        :param is_stored: checks whether the stored object has the expected size.
        :raises TransportError: the storage has other bytes.
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
    """Return the MD5, in base64, that a storage reports for the bytes that it stored; None: it reports none."""
    if any(name.lower().startswith(_ENCRYPTED) for name in response.headers):
        # With customer-provided encryption keys, ETags are not digests.
        return None
    reported = response.headers.get("Content-MD5")
    if reported is not None:
        return reported
    etag = response.headers.get("ETag", "").strip('"').lower()
    return base64.b64encode(bytes.fromhex(etag)).decode() if with_etag and _MD5.fullmatch(etag) else None
