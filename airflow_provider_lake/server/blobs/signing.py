"""Signed, expiring URLs and forms of the lake itself."""

import base64
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from urllib.parse import quote, urlencode

from airflow_provider_lake.server.errors import ForbiddenError


@dataclass(frozen=True, slots=True)
class FormPolicy:
    """What one signed form may upload.

    :param object_name: name of the object.
    :param content_type: content type of the object.
    :param max_bytes: largest size of the object.
    :param expires: when the form becomes invalid, in seconds since 1970.
    """

    object_name: str
    content_type: str
    max_bytes: int
    expires: int


class UrlSigner:
    """Signs requests that need no token, by HMAC-SHA256 over method, path, arguments and expiry.

    :param secret: key of the signatures.
    :param lifetime: how long a signature is valid.
    """

    def __init__(self, secret: bytes, lifetime: timedelta) -> None:
        # `hmac.digest` would release and reacquire the interpreter lock for each signature of a page.
        self._keyed = hmac.new(secret, digestmod="sha256")
        self._lifetime = int(lifetime.total_seconds())

    def sign_url(self, method: str, base_url: str, path: str, arguments: Mapping[str, str] | None = None) -> str:
        """Return a URL that allows one method on one path, with exactly these arguments."""
        expires = str(self.expiry())
        signature = self._sign(_canonical(method, path, {**(arguments or {}), "expires": expires}))
        # Performance: a page of data has up to a thousand of these.
        given = f"{urlencode(arguments)}&" if arguments else ""
        return f"{base_url}{quote(path)}?{given}expires={expires}&signature={signature}"

    def check_url(self, method: str, path: str, query: Mapping[str, str]) -> None:
        """Check that this lake signed a URL.

        :raises ForbiddenError: it did not, or the URL has expired.
        """
        arguments = {name: value for name, value in query.items() if name != "signature"}
        self._check(_canonical(method, path, arguments), query.get("signature", ""))
        _check_expiry(int(arguments["expires"]))

    def sign_form(self, policy: FormPolicy) -> dict[str, str]:
        """Return the form fields that contain a policy and its signature."""
        encoded = base64.urlsafe_b64encode(json.dumps(asdict(policy)).encode()).decode()
        return {"key": policy.object_name, "policy": encoded, "signature": self._sign(f"FORM {encoded}")}

    def check_form(self, fields: Mapping[str, str]) -> FormPolicy:
        """Return the policy of a form.

        :raises ForbiddenError: this lake did not sign it, it has expired, or its fields do not match the policy.
        """
        encoded = fields.get("policy", "")
        self._check(f"FORM {encoded}", fields.get("signature", ""))
        policy = FormPolicy(**json.loads(base64.urlsafe_b64decode(encoded)))
        _check_expiry(policy.expires)
        if fields.get("key") != policy.object_name:
            raise ForbiddenError("the form's key is not the one that was signed")
        if fields.get("Content-Type", policy.content_type) != policy.content_type:
            raise ForbiddenError("the form's content type is not the one that was signed")
        return policy

    def expiry(self) -> int:
        """Return when a signature made now expires, in seconds since 1970."""
        return int(time.time()) + self._lifetime

    def _sign(self, text: str) -> str:
        keyed = self._keyed.copy()
        keyed.update(text.encode("utf-8", "surrogatepass"))
        return keyed.hexdigest()

    def _check(self, text: str, signature: str) -> None:
        if not hmac.compare_digest(self._sign(text).encode(), signature.encode("utf-8", "surrogatepass")):
            raise ForbiddenError("the signature does not match")


def _canonical(method: str, path: str, arguments: Mapping[str, str]) -> str:
    return json.dumps([method, path, sorted(arguments.items())])


def _check_expiry(expires: int) -> None:
    if expires < time.time():
        raise ForbiddenError("the signature has expired")
