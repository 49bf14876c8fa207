"""One request by libcurl, on one easy handle: the only module that knows pycurl's options.

``curl.py`` sends them one after the other, blocking. To send several concurrently in one thread, a ``pycurl.CurlMulti``
drives ``CurlRequest.handle``; :meth:`CurlRequest.response` or :meth:`CurlRequest.lake_error` is its result.
"""

import math
import os
from collections.abc import Callable, Generator, Mapping
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import certifi
import pycurl

from airflow_provider_lake import __version__
from airflow_provider_lake.client.errors import LakeError, TransportError, UsageError
from airflow_provider_lake.client.transport.base import (
    PLAIN_HTTP_REFUSED,
    TLS_REFUSED,
    Headers,
    RequestBody,
    Response,
    ResponseHandler,
    authority_of,
    without_secrets,
)

# pycurl has no types.
Handle = Any

# Maximum number of bytes that libcurl passes at a time.
_BUFFER_SIZE = 1 << 17
# The same for a body that is read while it is sent: each call runs Python code.
_STREAM_BUFFER_SIZE = 1 << 20
_MAX_REDIRECTS = 10
_URL_SAFE_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"
_UNUSABLE_REQUEST_CODES = frozenset(
    {pycurl.E_URL_MALFORMAT, pycurl.E_UNSUPPORTED_PROTOCOL, pycurl.E_SSL_CACERT_BADFILE}
)

# Parts of libcurl's and OpenSSL's messages for a response that is not HTTP, or not TLS.
_NO_HTTP = "HTTP/0.9"
_NOT_TLS = "wrong version number"


def make_handle(timeout: float, verify: bool | str) -> Handle:
    """Make a handle that keeps its connections between requests; one thread may use it at a time.

    Proxies are taken from the environment, by libcurl's rules.

    :param timeout: seconds to wait for a connection, and, in whole ones, without any byte in either direction.
    :param verify: whether to check TLS certificates, or the path of the CA bundle to check them by.
    """
    handle = pycurl.Curl()
    handle.setopt(pycurl.NOSIGNAL, 1)
    handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
    handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
    handle.setopt(pycurl.REDIR_PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
    handle.setopt(pycurl.MAXREDIRS, _MAX_REDIRECTS)
    # Signatures are made for the path as it is.
    handle.setopt(pycurl.PATH_AS_IS, 1)
    handle.setopt(pycurl.USERAGENT, f"airflow-provider-lake/{__version__}")
    handle.setopt(pycurl.TCP_KEEPALIVE, 1)
    handle.setopt(pycurl.BUFFERSIZE, _BUFFER_SIZE)
    # Zero would mean libcurl's default.
    handle.setopt(pycurl.CONNECTTIMEOUT_MS, max(1, math.ceil(timeout * 1000)))
    handle.setopt(pycurl.LOW_SPEED_LIMIT, 1)
    handle.setopt(pycurl.LOW_SPEED_TIME, max(1, math.ceil(timeout)))
    _set_certificates(handle, verify)
    return handle


def _set_certificates(handle: Handle, verify: bool | str) -> None:
    """Set the trusted CA certificates: as requests does, by the same environment variables."""
    if not verify:
        handle.setopt(pycurl.SSL_VERIFYPEER, 0)
        handle.setopt(pycurl.SSL_VERIFYHOST, 0)
        return
    authorities = verify if isinstance(verify, str) else ca_bundle_path()
    handle.setopt(pycurl.CAPATH if Path(authorities).is_dir() else pycurl.CAINFO, os.fsencode(authorities))


def ca_bundle_path() -> str:
    """Return the file or folder of the CA certificates that are trusted by default."""
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or certifi.where()


class CurlRequest:
    """One request on a handle; nothing is sent before the handle is performed, and nothing is sent twice.

    libcurl drops exceptions of callbacks, including those of signal handlers. Therefore its only callback in Python is
    the one that reads a body.

    :param handle: made by :func:`make_handle`; no other request may use it until this one has ended.
    :param headers: of the request, the authorization included.
    :param body: bytes, or an object that is read while it is sent.
    :param on_response: receives the response as it arrives, and redirects are followed; None: the response is kept in
        memory, and redirects are not followed.
    :param all_headers: whether all response headers are needed; each costs a call. Otherwise only ``Content-Type`` is
        there and, if the response is not a success, ``Retry-After`` (in seconds) and ``Location``.
    :raises UsageError: the URL or a header cannot be sent at all.
    """

    def __init__(
        self,
        handle: Handle,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | RequestBody | None = None,
        on_response: ResponseHandler | None = None,
        all_headers: bool = False,
    ) -> None:
        self.handle = handle
        self.target = f"{method} {without_secrets(url)}"
        self._head: list[bytes] | None = [] if all_headers or on_response is not None else None
        self._chunks: list[bytes] = []
        self._begin = on_response
        self._write_chunk: Callable[[bytes], object] | None = None
        # Exceptions raised while the body was read.
        self._errors: list[BaseException] = []
        if self._head is None:
            handle.unsetopt(pycurl.HEADERFUNCTION)
        else:
            handle.setopt(pycurl.HEADERFUNCTION, self._head.append)
        handle.setopt(pycurl.WRITEFUNCTION, self._chunks.append)
        handle.setopt(pycurl.FOLLOWLOCATION, on_response is not None)
        handle.setopt(pycurl.ACCEPT_ENCODING, "" if on_response is None else "identity")
        self._set_body(b"" if body is None and method != "GET" else body)
        try:
            handle.setopt(pycurl.CUSTOMREQUEST, method)
            handle.setopt(pycurl.URL, quote(url, safe=_URL_SAFE_CHARACTERS))
            handle.setopt(pycurl.HTTPHEADER, _header_lines(headers))
        except ValueError as error:
            raise UsageError(f"{self.target} cannot be sent: {type(error).__name__}") from None

    def pass_on_body(self) -> bool:
        """Pass the chunks received so far to the handler of the response.

        :return: False: the handler skips the body.
        """
        if self._begin is None or not self._chunks:
            return True
        self._write_chunk = self._write_chunk or self._begin(self._build_response())
        if self._write_chunk is None:
            return False
        for piece in self._chunks:
            self._write_chunk(piece)
        self._chunks.clear()
        return True

    def response(self) -> Response:
        """Return the response, after the request has completed without an error."""
        if self._begin is not None:
            if self.pass_on_body() and self._write_chunk is None:
                self._begin(self._build_response())
            return self._build_response()
        body = b"".join(self._chunks)
        # The handle refers to the list until its next request.
        self._chunks.clear()
        return self._build_response(body)

    def error(self, code: int, message: str) -> BaseException:
        """Return the error from reading the body, if any, else that of the request, as :meth:`lake_error` does."""
        return self._errors[0] if self._errors else self.lake_error(code, message)

    def lake_error(self, code: int, message: str) -> LakeError:
        """Return the client's error for one of libcurl; its text omits the query, which may hold a signature.

        :param code: one of ``pycurl.E_...``.
        :param message: libcurl's message.
        """
        url = self.target.partition(" ")[2]
        if code == pycurl.E_UNSUPPORTED_PROTOCOL and _NO_HTTP in message:
            return UsageError(f"{authority_of(url)} {PLAIN_HTTP_REFUSED}")
        if code == pycurl.E_SSL_CONNECT_ERROR and _NOT_TLS in message:
            return TransportError(f"no usable answer to {self.target}: {authority_of(url)} {TLS_REFUSED}", False)
        if code in _UNUSABLE_REQUEST_CODES:
            return UsageError(f"{self.target} cannot be sent: {message}")
        # Over a connection that the server had closed, libcurl resends what it can rewind; it cannot rewind this body.
        reason = "the connection was closed without an answer" if code == pycurl.E_SEND_FAIL_REWIND else message
        cause = self.handle.getinfo(pycurl.OS_ERRNO) if code == pycurl.E_COULDNT_CONNECT else 0
        reason = f"{reason}: {os.strerror(cause)}" if cause else reason
        was_sent = self.handle.getinfo(pycurl.REQUEST_SIZE) > 0
        return TransportError(f"no usable answer to {self.target}: {reason}", was_sent)

    def _set_body(self, body: bytes | RequestBody | None) -> None:
        """Set the body so that it is read only once: libcurl repeats requests whose body it can rewind."""
        # libcurl may send a request with an empty body twice over a reused connection; for GET that does no harm.
        self.handle.setopt(pycurl.FRESH_CONNECT, body is not None and not len(body))
        if body is None:
            self.handle.setopt(pycurl.HTTPGET, 1)
            return
        self.handle.setopt(pycurl.POST, 1)
        self.handle.setopt(pycurl.POSTFIELDSIZE_LARGE, len(body))
        buffer_size, read = (
            (_BUFFER_SIZE, BytesIO(body).read)
            if isinstance(body, bytes)
            else (_STREAM_BUFFER_SIZE, _read_callback(body, self._errors))
        )
        self.handle.setopt(pycurl.UPLOAD_BUFFERSIZE, buffer_size)
        self.handle.setopt(pycurl.READFUNCTION, read)

    def _build_response(self, body: bytes = b"") -> Response:
        if self._head is None:
            status = self.handle.getinfo(pycurl.RESPONSE_CODE)
            return Response(status, self._headers_from_curl(status), body)
        # With redirects there are several status lines: the last one counts.
        status = next(line for line in reversed(self._head) if line.startswith(b"HTTP/"))
        return Response(int(status.split(maxsplit=2)[1]), Headers(self._head), body)

    def _headers_from_curl(self, status: int) -> Headers:
        """Return those response headers that libcurl itself stores and that have a value."""
        known = {"Content-Type": self.handle.getinfo(pycurl.CONTENT_TYPE)}
        if status >= HTTPStatus.MULTIPLE_CHOICES:
            known["Retry-After"] = self.handle.getinfo(pycurl.RETRY_AFTER) or None
            known["Location"] = self.handle.getinfo(pycurl.REDIRECT_URL)
        return Headers([f"{name}: {value}".encode() for name, value in known.items() if value is not None])


def _read_callback(body: RequestBody, errors: list[BaseException]) -> Callable[[int], bytes | int]:
    """Return a callback with which libcurl reads the body; an error is added to ``errors`` and ends the request."""
    # A generator, unlike a function, also catches what a signal handler raises before its first line.
    pieces = _read_chunks(body, errors)
    next(pieces)
    return pieces.send


def _read_chunks(body: RequestBody, errors: list[BaseException]) -> Generator[bytes | int, int, None]:
    piece: bytes | int = b""
    while True:
        try:
            size = yield piece
            piece = body.read(size)
        except GeneratorExit:
            return
        except BaseException as error:  # noqa: BLE001 - raised again where the request is performed
            errors.append(error)
            piece = pycurl.READFUNC_ABORT


def _header_lines(headers: Mapping[str, str]) -> list[bytes]:
    """Return the request's header lines, without those that libcurl would add by default.

    :raises ValueError: a header would break out of its line, or holds characters that headers cannot.
    """
    # Servers that do not know "100 Continue" would cost a second of waiting.
    lines, has_type = ["Expect:"], False
    for name, value in headers.items():
        has_type = has_type or name.lower() == "content-type"
        if "\n" in value or "\r" in value or "\0" in value:
            raise ValueError("line break in a header")
        lines.append(f"{name}: {value}" if value else f"{name};")
    if not has_type:
        lines.append("Content-Type:")
    return [line.encode("latin-1") for line in lines]
