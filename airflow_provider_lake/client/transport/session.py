"""Every request to the API goes through :meth:`Session.request`: URL, token, retries, decoding, errors."""

import json as jsonlib
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from airflow_provider_lake.client.concurrency.cancellation import pause
from airflow_provider_lake.client.concurrency.worker_pool import AdaptiveConcurrency
from airflow_provider_lake.client.errors import (
    NotFoundError,
    ResponseError,
    ServerError,
    TransportError,
    UnexpectedResponseError,
    UsageError,
    class_of_status,
)
from airflow_provider_lake.client.transport.api_token import ApiToken
from airflow_provider_lake.client.transport.base import Response, Transport, without_secrets
from airflow_provider_lake.client.transport.curl import CurlTransport
from airflow_provider_lake.client.transport.requests_session import RequestsTransport
from airflow_provider_lake.client.transport.retry import Attempts, RetryPolicy, parse_retry_after
from airflow_provider_lake.client.transport.suggestions import suggest

if TYPE_CHECKING:
    import requests

# However many files there are; each thread needs two buffers of 1 MiB.
_PART_THREADS = 3
_DECODER = msgspec.json.Decoder()
_XML_MESSAGE = re.compile(rb"<Message>([^<]*)</Message>")

QueryParams = Iterable[tuple[str, Any]]
# Reads the JSON of a response's body; raises ValueError if it is not JSON.
Decoder = Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request to the API, complete with its headers, the token among them.

    :param token: the token in the headers; the lake may refuse it.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None
    token: str = field(repr=False)


class Session:
    """What all requests of one client share; every record carries it. May be used by many threads at a time.

    :param host: base URL of the lake.
    :param api_token: None: this session was unpickled, and a pickle contains no token; it cannot send.
    :param transport: sends single requests.
    :param retry: how often and when a request is sent again.
    :param renew_token: returns a new token when the lake refuses the present one; None: the token cannot be renewed.
    """

    def __init__(
        self,
        host: str,
        api_token: str | None,
        transport: Transport,
        retry: RetryPolicy,
        renew_token: Callable[[], str] | None = None,
    ) -> None:
        self.host = host
        self.transport = transport
        self.retry = retry
        # How many files to transfer at the same time.
        self.concurrency = AdaptiveConcurrency()
        # Further threads for the parts of large files, beside the workers of the files.
        self.part_threads = threading.Semaphore(_PART_THREADS)
        # Connectors whose object storage reports digests of what it stored.
        self.connectors_with_digests: set[UUID] = set()
        # Connectors whose ETags look like digests but are not.
        self.connectors_without_digests: set[UUID] = set()
        self.compare_digests = True
        # Whether the lake recognizes a repeated request by its idempotency key.
        self.supports_idempotency_keys = False
        # Whether the lake decodes imported files on request.
        self.supports_check_files = False
        self.organization_id: UUID | None = None
        # Connector of the object storage for files that belong to no datalake.
        self.connector_id: UUID | None = None
        self.token = ApiToken(api_token, renew_token)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.host!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _without_token, (self.host,)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: QueryParams = (),
        json: Any = None,
        repeatable: bool | None = None,
        decoder: Decoder | None = None,
        key: str | None = None,
        attempts: Attempts | None = None,
    ) -> Any:
        """Send one request to the API and return the response's JSON.

        :param path: below the host, starting with ``/api/``.
        :param params: the query; pairs whose value is None are left out.
        :param json: the body.
        :param repeatable: whether to send it again after an ambiguous outcome; None: unless it is a POST, which
            creates something. Any request is sent again when the lake surely has not acted on it.
        :param decoder: reads the response's JSON; None: a general JSON decoder.
        :param key: idempotency key of this request and its repetitions.
        :param attempts: those of the work of which this call is a stage; None: the call is the whole work.
        :return: None for a response without body.
        :raises ResponseError: the lake responded with an error.
        :raises TransportError: no usable response came.
        """
        request = self.build_request(method, path, params, json, key)
        if repeatable is None:
            repeatable = method != "POST" or (key is not None and self.supports_idempotency_keys)
        return (attempts or self.attempts()).repeat(
            self._make_attempt(request, decoder or decode), repeatable=repeatable
        )

    def request_once(self, method: str, path: str, *, params: QueryParams = (), json: Any = None) -> Any:
        """Send one request to the API as part of an attempt; it is not repeated here but with the whole attempt.

        The arguments and errors are those of :meth:`request`.
        """
        return self._make_attempt(self.build_request(method, path, params, json), decode)()

    def attempts(self) -> Attempts:
        """Return the attempts of one piece of work."""
        return Attempts(self.retry, self.pause)

    def pause(self, seconds: float) -> None:
        """Wait between two attempts.

        :raises Cancelled: the work of this thread is cancelled.
        """
        pause(seconds)

    def delete(self, path: str, *, json: Any = None) -> None:
        """Delete a resource; if the response to an earlier attempt was lost, one already gone counts as deleted.

        :raises NotFoundError: there was nothing to delete.
        """
        send = self._make_attempt(self.build_request("DELETE", path, (), json), decode)
        is_ambiguous = False

        def attempt() -> None:
            nonlocal is_ambiguous
            try:
                send()
            except (TransportError, ServerError):
                is_ambiguous = True
                raise
            except NotFoundError:
                if not is_ambiguous:
                    raise

        self.attempts().repeat(attempt, repeatable=True)

    def find(
        self, path: str, params: QueryParams, missing: str, known: Callable[[], Iterable[str]] | None = None
    ) -> Any:
        """GET one resource.

        :param missing: the message when it does not exist; names what was searched, and where.
        :param known: lists the existing names, for suggestions in that message.
        :raises NotFoundError: it does not exist.
        """
        try:
            return self.request("GET", path, params=params)
        except NotFoundError as error:
            name = dict(params).get("name")
            missing += "" if known is None or name is None else suggest(name, known)
            raise NotFoundError(error.status, error.method, error.url, missing, error.detail) from error

    def build_request(
        self, method: str, path: str, params: QueryParams = (), json: Any = None, key: str | None = None
    ) -> ApiRequest:
        """Build a request to the API, with URL, headers and body.

        :param path: below the host, starting with ``/api/``.
        :param params: the query; pairs whose value is None are left out.
        :param key: idempotency key.
        :raises UsageError: this session has no token, or ``json`` cannot be encoded.
        """
        token = self.token.value
        if token is None:
            raise UsageError("this came out of a pickle, which holds no API token: read it again by its id")
        given = [(name, str(value)) for name, value in params if value is not None]
        try:
            query = urlencode(given) if given else ""
        except ValueError as error:
            raise UsageError(f"cannot be asked for: {error}") from error
        url = f"{self.host}{path}?{query}" if query else f"{self.host}{path}"
        headers = {
            **_authorization(token),
            "Content-type": "application/json",
            "Accept": "application/json",
        }
        if self.organization_id is not None:
            headers["X-Picsellia-Organization"] = str(self.organization_id)
        if key is not None:
            headers["Idempotency-Key"] = key
        return ApiRequest(method, url, headers, None if json is None else _encode(json), token)

    def with_new_token(self, request: ApiRequest) -> ApiRequest | None:
        """Return a refused request with the session's present token; None: that token was the refused one.

        This does not renew the token.
        """
        token = self.token.value
        if token is None or token == request.token:
            return None
        return replace(request, headers={**request.headers, **_authorization(token)}, token=token)

    def _make_attempt(self, request: ApiRequest, decoder: Decoder) -> Callable[[], Any]:
        latest = request

        def send() -> Any:
            nonlocal latest
            latest = self.with_new_token(latest) or latest
            response = self.transport.send(request.method, request.url, headers=latest.headers, body=request.body)
            # A lake that refuses the token has not acted on the request: it can be sent again with the new token.
            if response.status == HTTPStatus.UNAUTHORIZED and self.token.renew(latest.token):
                latest = self.with_new_token(latest) or latest
                response = self.transport.send(request.method, request.url, headers=latest.headers, body=request.body)
            return read_response(request.method, request.url, response, decoder)

        return send


def make_transport(timeout: float, verify: bool | str, session: "requests.Session | None" = None) -> Transport:
    """Return the transport of a session: libcurl, or the session of requests that the user passed.

    :param timeout: seconds to wait for a connection, and, in whole ones, without any byte in either direction.
    :param verify: whether to check TLS certificates, or the path of the CA bundle to check them by.
    :param session: sends instead of libcurl, for proxies, client certificates and the like.
    """
    return CurlTransport(timeout, verify) if session is None else RequestsTransport(session, timeout, verify)


def _authorization(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _without_token(host: str) -> Session:
    return Session(host, None, CurlTransport(0, verify=True), RetryPolicy())


def error_from(method: str, url: str, response: Response) -> ResponseError:
    """Return the error that a response means."""
    message, detail = _message_and_detail(response)
    retry_after = parse_retry_after(response.headers.get("Retry-After"))
    return class_of_status(response.status)(response.status, method, url, message, detail, retry_after)


def read_response(method: str, url: str, response: Response, decoder: Decoder | None = None) -> Any:
    """Return the JSON of a response; None: it has no body.

    :param decoder: reads the JSON; None: a general JSON decoder.
    :raises ResponseError: the response is an error.
    :raises TransportError: the body is not JSON.
    """
    if not response.is_success:
        raise error_from(method, url, response)
    if not response.body:
        return None
    try:
        return (decoder or decode)(response.body)
    except (ValueError, RecursionError):
        kind = response.headers.get("Content-Type", "an unnamed type")
        raise UnexpectedResponseError(
            f"{method} {without_secrets(url)} was answered by {kind} that is no JSON: is there a lake?"
        ) from None


def _encode(json: Any) -> bytes:
    try:
        return _ENCODER.encode(json).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"cannot be sent as JSON: {error}") from error


def _encode_unknown(value: object) -> str:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{value!r} is no JSON value")


_ENCODER = jsonlib.JSONEncoder(allow_nan=False, default=_encode_unknown)


def decode(body: bytes) -> Any:
    """Read JSON, with the fast decoder if possible, else with the standard library's, which is more lenient.

    :raises ValueError: it is not JSON.
    """
    try:
        return _DECODER.decode(body)
    except (ValueError, RecursionError):
        # NaN, infinite numbers and lone surrogates, which some lakes send.
        return jsonlib.loads(body)


def _message_and_detail(response: Response) -> tuple[str, Any]:
    """Return message and detail of an error response; without either, its status describes it."""
    if HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST and "Location" in response.headers:
        return f"redirected to {without_secrets(response.headers['Location'])}, which is not followed", None
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = "unknown status"
    try:
        content = jsonlib.loads(response.body)
    except (ValueError, RecursionError):
        # Object storage sends errors as XML.
        in_xml = _XML_MESSAGE.search(response.body)
        return (in_xml[1].decode("utf-8", "replace") if in_xml else phrase), None
    if not isinstance(content, dict):
        return phrase, content
    return str(content.get("message") or phrase), content.get("detail")
