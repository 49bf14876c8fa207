"""URLs to download objects of S3, signed by Signature Version 4: a page of data has a thousand of them.

boto3 takes a quarter of a millisecond for each, because it prepares a whole request. Here it prepares one, and all
others share its address, its region and its parameters.
"""

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

_KEY = "key"


class DownloadSigner:
    """Signs downloads from one bucket.

    :param prepared: a URL of the object ``key`` that boto3 has signed.
    :param credentials: returns boto3's credentials as they are now: access key, secret key, session token.
    :param lifetime: how long a URL is valid.
    """

    def __init__(self, prepared: str, credentials: Callable[[], Any], lifetime: timedelta) -> None:
        place = urlsplit(prepared)
        self._base = prepared.partition("?")[0].removesuffix(_KEY)
        self._path = place.path.removesuffix(_KEY)
        self._host = place.netloc
        self._region = parse_qs(place.query)["X-Amz-Credential"][0].split("/")[2]
        self._credentials = credentials
        self._lifetime = int(lifetime.total_seconds())
        self._signing_key: tuple[tuple[str, str], bytes] = (("", ""), b"")

    @classmethod
    def of_bucket(cls, client: Any, bucket: str, credentials: Any, lifetime: timedelta) -> "DownloadSigner":
        """Return the signer of a bucket, by a client of boto3 and its credentials."""
        prepared = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": _KEY})
        return cls(prepared, credentials.get_frozen_credentials, lifetime)

    def sign(self, key: str, now: datetime | None = None) -> str:
        """Return a URL to download the object of a key.

        :param now: when it begins to be valid; None: now.
        """
        moment = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
        credentials = self._credentials()
        scope = f"{moment[:8]}/{self._region}/s3/aws4_request"
        quoted = quote(key, safe="/~")
        token = f"&X-Amz-Security-Token={quote(credentials.token, safe='~')}" if credentials.token else ""
        query = (
            f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={quote(f'{credentials.access_key}/{scope}', safe='~')}"
            f"&X-Amz-Date={moment}&X-Amz-Expires={self._lifetime}{token}&X-Amz-SignedHeaders=host"
        )
        request = f"GET\n{self._path}{quoted}\n{query}\nhost:{self._host}\n\nhost\nUNSIGNED-PAYLOAD"
        digest = hashlib.sha256(request.encode()).hexdigest()
        signed = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}"
        signature = _hmac(self._key_of(credentials.secret_key, moment[:8]), signed).hex()
        return f"{self._base}{quoted}?{query}&X-Amz-Signature={signature}"

    def _key_of(self, secret_key: str, day: str) -> bytes:
        """Return the key that signs on one day."""
        known_for, key = self._signing_key
        if known_for != (secret_key, day):
            key = f"AWS4{secret_key}".encode()
            for part in (day, self._region, "s3", "aws4_request"):
                key = _hmac(key, part)
            self._signing_key = ((secret_key, day), key)
        return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
