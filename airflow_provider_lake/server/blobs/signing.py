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

    :param object_name: where it goes.
    :param content_type: its type.
    :param max_bytes: its largest size.
    :param expires: until when, in seconds since 1970.
    """

    object_name: str
    content_type: str
    max_bytes: int
    expires: int


class UrlSigner:
    """Signs what a client may do without a token, by HMAC-SHA256 over method, path, arguments and expiry.

    :param secret: key of the signatures; who has it can sign.
    :param lifetime: how long a signature is valid.
    """

    def __init__(self, secret: bytes, lifetime: timedelta) -> None:
        # hmac.digest would let go of the interpreter lock, and wait to get it back, for each of a page's signatures.
        self._keyed = hmac.new(secret, digestmod="sha256")
        self._lifetime = int(lifetime.total_seconds())

    def sign_url(self, method: str, base_url: str, path: str, arguments: Mapping[str, str] | None = None) -> str:
        """Return a URL that allows one method on one path, with just these arguments."""
        expires = str(self.expiry())
        signature = self._sign(_canonical(method, path, {**(arguments or {}), "expires": expires}))
        # Pages of data have a thousand of these.
        given = f"{urlencode(arguments)}&" if arguments else ""
        return f"{base_url}{quote(path)}?{given}expires={expires}&signature={signature}"

    def check_url(self, method: str, path: str, query: Mapping[str, str]) -> None:
        """Accept a URL that this lake signed.

        :raises ForbiddenError: it did not, or its time has run out.
        """
        arguments = {name: value for name, value in query.items() if name != "signature"}
        self._check(_canonical(method, path, arguments), query.get("signature", ""))
        _check_expiry(int(arguments["expires"]))

    def sign_form(self, policy: FormPolicy) -> dict[str, str]:
        """Return the form fields that carry a policy and its signature."""
        encoded = base64.urlsafe_b64encode(json.dumps(asdict(policy)).encode()).decode()
        return {"key": policy.object_name, "policy": encoded, "signature": self._sign(f"FORM {encoded}")}

    def check_form(self, fields: Mapping[str, str]) -> FormPolicy:
        """Return the policy of a form that this lake signed.

        :raises ForbiddenError: it did not, its time has run out, or the form asks for something else.
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
        """Return when what is signed now becomes invalid, in seconds since 1970."""
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
