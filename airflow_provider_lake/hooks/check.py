"""Test a connection, and describe the result or the problem in one sentence.

The sentence depends on the problem itself, not on the error messages of the HTTP library: if no response comes, each
step of the way to the lake (name, port, TLS, HTTP) is tested again.
"""

import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from airflow_provider_lake.hooks.connection import (
    ConnectionFields,
    base_url,
    datalake_name,
    extra_fields,
    make_client,
    timeout_seconds,
    verifies_tls,
    without_credentials,
)

if TYPE_CHECKING:
    from airflow_provider_lake.client import Client, ResponseError

_PORTS = {"http": 80, "https": 443}
_PROBE_SECONDS = 5.0


def check_connection(connection: ConnectionFields) -> tuple[bool, str]:
    """Request the connection's datalake; return whether the connection is usable, and one sentence that explains it."""
    from airflow_provider_lake.client import LakeError, ResponseError, RetryPolicy, TransportError
    from airflow_provider_lake.client.transport.base import PLAIN_HTTP_REFUSED

    try:
        # No retries: the user can repeat the test.
        with make_client(connection, RetryPolicy(attempts=1)) as client:
            return _check_datalake(client, datalake_name(connection))
    except TransportError as error:
        complaint = _explain_no_response(connection) or str(error)
    except ResponseError as error:
        complaint = _explain_response(connection, error)
    except LakeError as error:
        complaint = str(error)
        if complaint.endswith(PLAIN_HTTP_REFUSED):
            complaint = _explain_no_response(connection) or complaint
    # A server's message may have any form.
    return False, " ".join(complaint.split())


def _check_datalake(client: "Client", name: str | None) -> tuple[bool, str]:
    from airflow_provider_lake.client import NotFoundError

    try:
        datalake = client.get_datalake(name=name)
    except NotFoundError:
        expected = "default datalake" if name is None else f"datalake named {name!r}"
        names = ", ".join(repr(each.name) for each in client.list_datalakes()) or "none"
        return False, f"organization {client.organization_name!r} has no {expected}; it has {names}"
    if datalake.connector_id is None:
        return False, f"datalake {datalake.name!r} has no connector: it can neither upload nor import"
    where = f"of organization {client.organization_name!r} at {without_credentials(client.host)}"
    return True, f"connected to datalake {datalake.name!r} {where} as {client.username}"


def _explain_response(connection: ConnectionFields, error: "ResponseError") -> str:
    """Explain an error response to the user who configures the connection."""
    from airflow_provider_lake.client import NotFoundError, RateLimitedError, ServerError, UnauthorizedError

    url, path = without_credentials(base_url(connection)), urlsplit(error.url).path
    if isinstance(error, UnauthorizedError):
        return f"the lake at {url} does not know the API token: put the right one into the password field"
    if isinstance(error, ServerError | RateLimitedError):
        return f"the lake at {url} cannot answer now: {error}"
    if isinstance(error, NotFoundError) and path.startswith("/api/organization"):
        extra = extra_fields(connection)
        name_or_id = extra.get("organization_id") or extra.get("organization_name")
        return f"the API token gives no access to organization {name_or_id or path.rpartition('/')[2]!r}"
    if path == "/api/home/ping":
        return f"{url} is no lake, for it answers {error.status} to {error.method} {path}: check the host"
    return str(error)


def _explain_no_response(connection: ConnectionFields) -> str | None:
    """Explain why no usable response came; None: a second test finds no problem, or there is a proxy in between."""
    url = urlsplit(base_url(connection))
    authority = _authority(url)
    if _is_proxied(url):
        return None
    timeout = timeout_seconds(connection)
    try:
        return _probe(connection, url, min(timeout, _PROBE_SECONDS))
    except (socket.gaierror, UnicodeError):
        return f"there is no host {url.hostname!r}: check its spelling, and this machine's name server"
    except ConnectionRefusedError:
        return f"nothing listens at {authority}: check host and port, and whether the lake runs"
    except TimeoutError:
        return f"{authority} does not answer within {timeout:g} s: check host and port, and the firewalls between"
    except OSError as error:
        return f"{authority} cannot be reached: {error.strerror or error}"


def _probe(connection: ConnectionFields, url: SplitResult, timeout: float) -> str | None:
    address = (url.hostname or "", _port(url))
    with socket.create_connection(address, timeout) as sock:
        if url.scheme == "https":
            return _explain_tls(connection, url, sock)
        complaint = _explain_http(url, sock)
    with socket.create_connection(address, timeout) as sock:
        return f"{_authority(url)} speaks TLS: begin the host with https://" if _accepts_tls(sock) else complaint


def _explain_tls(connection: ConnectionFields, url: SplitResult, sock: socket.socket) -> str | None:
    try:
        with _tls_context(connection).wrap_socket(sock, server_hostname=url.hostname) as secured:
            return _explain_http(url, secured)
    except ssl.SSLCertVerificationError as error:
        advice = "have its authority trusted here, or turn off the check of TLS certificates"
        return f"the TLS certificate of {_authority(url)} is not to be trusted ({error.verify_message}): {advice}"
    except ssl.SSLError:
        return f"{_authority(url)} does not speak TLS: for a lake without it, begin the host with http://"
    except ConnectionError:
        return f"{_authority(url)} breaks off when TLS begins: for a lake without TLS, begin the host with http://"


def _accepts_tls(sock: socket.socket) -> bool:
    """Whether a TLS handshake succeeds, without a check of the certificate; no data are sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with context.wrap_socket(sock):
            return True
    except OSError:
        return False


def _explain_http(url: SplitResult, sock: socket.socket) -> str | None:
    """Send one more request, without a token, and check only the first bytes of the response."""
    head = f"GET /api/home/ping HTTP/1.1\r\nHost: {url.netloc.rpartition('@')[2]}\r\nConnection: close\r\n\r\n"
    sock.sendall(head.encode("latin-1", "replace"))
    try:
        first = sock.recv(16)
    except ConnectionResetError:
        return None
    if first.startswith(b"HTTP/"):
        return f"{_authority(url)} answers, but not as a lake does: check the host"
    return f"{_authority(url)} does not speak HTTP: check host and port" if first else None


def _tls_context(connection: ConnectionFields) -> ssl.SSLContext:
    """Return a TLS context that trusts the same authorities as the client."""
    from airflow_provider_lake.client.transport.curl_request import ca_bundle_path

    path = ca_bundle_path()
    is_folder = Path(path).is_dir()
    context = ssl.create_default_context(cafile=None if is_folder else path, capath=path if is_folder else None)
    if not verifies_tls(connection):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _is_proxied(url: SplitResult) -> bool:
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    return bool(proxies.get(url.scheme) or proxies.get("all")) and not proxy_bypass(url.hostname or "")


def _port(url: SplitResult) -> int:
    return url.port or _PORTS.get(url.scheme, 443)


def _authority(url: SplitResult) -> str:
    return f"{url.hostname}:{_port(url)}"
