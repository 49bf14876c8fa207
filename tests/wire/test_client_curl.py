"""Single exchanges by libcurl."""

import os
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pycurl
import pytest
import requests

from airflow_provider_lake.client import LakeError, TransportError, UploadError, UsageError
from airflow_provider_lake.client.transport.base import RequestBody, Response
from airflow_provider_lake.client.transport.curl import CurlConnection
from airflow_provider_lake.client.transport.curl_request import CurlRequest, make_handle
from airflow_provider_lake.client.transport.session import make_transport
from tests.wire.breaking_proxy import Break, breaking_proxy
from tests.wire.scripted import Given, scripted

SIGNATURE = "signature=top-secret"
DONE = Given(body={"done": True})


def _send(
    url: str, method: str = "POST", body: bytes | RequestBody | None = b"{}", headers: dict[str, str] | None = None
) -> Response:
    return CurlConnection(5, verify=True).send(method, url, headers or {}, body, all_headers=True)


class _Slices:
    """A body that can be read once."""

    def __init__(self, *slices: bytes) -> None:
        self._slices = list(slices)

    def __len__(self) -> int:
        return sum(map(len, self._slices))

    def read(self, _size: int = -1, /) -> bytes:
        return self._slices.pop(0) if self._slices else b""


@pytest.mark.parametrize("method", ["GET", "XGET", "POST", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("kind", ["none", "bytes", "read"])
def test_what_is_said_is_sent(method: str, kind: str) -> None:
    """Any method takes a body, which is announced by its length; nothing is added that nobody asked for."""
    body = {"none": None, "bytes": b"some bytes", "read": _Slices(b"some ", b"bytes")}[kind]
    with scripted(DONE) as server:
        response = _send(f"{server.url}/a?b=c d", method, body, {"Authorization": "Bearer t", "X-Empty": ""})
    sent = server.asked[0]

    assert (response.status, response.body, response.headers["content-LENGTH"]) == (200, b'{"done": true}', "14")
    assert (sent.method, sent.path) == (method, "/a?b=c%20d")
    assert sent.body == (b"" if body is None else b"some bytes")
    assert sent.headers["Authorization"] == "Bearer t"
    assert sent.headers["X-Empty"] == ""
    assert sent.headers["User-Agent"].startswith("airflow-provider-lake/")
    assert {"Content-Type", "Expect", "Transfer-Encoding"}.isdisjoint(sent.headers)


def test_a_request_that_a_signal_interrupts_anywhere_spoils_no_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal handler raises between any two instructions, also before libcurl has let go of the request."""

    class Multi:
        """Is interrupted by a signal where a request should be taken off."""

        def __init__(self, multi: pycurl.CurlMulti) -> None:
            self._multi = multi

        def __getattr__(self, name: str) -> object:
            return getattr(self._multi, name)

        def remove_handle(self, _handle: pycurl.Curl) -> None:
            raise InterruptedError

    with scripted(DONE, DONE) as server:
        transport = make_transport(5, verify=True)
        with monkeypatch.context() as patch:
            patch.setattr(pycurl, "CurlMulti", lambda multi=pycurl.CurlMulti: Multi(multi()))
            with pytest.raises(InterruptedError):
                transport.send("GET", f"{server.url}/a", headers={})
        response = transport.send("GET", f"{server.url}/b", headers={})

    assert response.status == 200
    assert [each.path for each in server.asked] == ["/a", "/b"]


def test_what_cannot_be_sent() -> None:
    """Neither a URL that is none nor a header that breaks out of its line; the query is not shown."""
    for url, headers in (
        (f"htp://host/a?{SIGNATURE}", {}),
        ("http://host/", {"X-A": "a\r\nX-B: b"}),
        ("http://host/", {"X": "\u20ac"}),
    ):
        with pytest.raises(UsageError, match="cannot be sent") as caught:
            _send(url, headers=headers)
        assert "top-secret" not in str(caught.value)


@pytest.mark.parametrize("body", [b"{}", None])
def test_nothing_is_sent_twice(body: bytes | None) -> None:
    """When a connection that was used before closes without an answer, libcurl does not send a second time."""
    requests: list[str] = []

    def decide(line: str, number: int) -> Break | None:
        requests.append(line)
        return Break.ANSWER_LOST if number == 1 else None

    with scripted(DONE, DONE, DONE) as server, breaking_proxy(server.url, decide) as url:
        line = CurlConnection(5, verify=True)
        line.send("POST", url, {}, b"first")
        with pytest.raises(TransportError, match="no usable answer to POST") as caught:
            line.send("POST", url, {}, body)

    assert caught.value.was_sent
    assert len(requests) == len(server.asked) == 2


def test_a_signal_ends_a_wait_for_an_answer() -> None:
    """Whoever interrupts the main thread need not wait for the lake; what the handler raises comes out."""

    class Interrupted(BaseException):
        pass

    def interrupt(_signal: int, _frame: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGUSR1, interrupt)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            connection.recv(1 << 16)
            os.kill(os.getpid(), signal.SIGUSR1)
            connection.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        try:
            with pytest.raises(Interrupted):
                _send(f"http://127.0.0.1:{listener.getsockname()[1]}/")
        finally:
            signal.signal(signal.SIGUSR1, before)


def test_what_a_body_cannot_give_is_the_error() -> None:
    """It comes out as it was raised, from any thread, and no later request is the worse for it."""

    class Broken(_Slices):
        def read(self, _size: int = -1, /) -> bytes:
            raise UploadError("a.jpg", "cannot be read")

    def attempt() -> None:
        with pytest.raises(UploadError, match="cannot be read"):
            line.send("POST", server.url, {}, Broken(b"bytes"))

    line = CurlConnection(5, verify=True)
    with scripted(DONE) as server, ThreadPoolExecutor(1) as pool:
        attempt()
        pool.submit(attempt).result()
        assert line.send("GET", server.url, {}).status == 200


def test_connections_are_used_again_but_not_by_another_process() -> None:
    """A child that was forked makes its own, and leaves its parent's alone."""
    with scripted(*[DONE] * 4) as server:
        transport = make_transport(5, verify=True)
        transport.send("GET", server.url, headers={})
        transport.send("GET", server.url, headers={})
        child = os.fork()
        if not child:
            os._exit(transport.send("GET", server.url, headers={}).status != 200)
        assert os.waitpid(child, 0)[1] == 0
        transport.send("GET", server.url, headers={})
        transport.close()
    ports = [asked.port for asked in server.asked]

    assert ports[0] == ports[1] == ports[3] != ports[2]


def test_a_session_of_the_users_own_sends() -> None:
    """All goes through it, bytes that are read, too; what it adds is added."""
    with requests.Session() as session, scripted(DONE, Given(302, b"", {"Location": "/b"}), DONE) as server:
        session.headers["X-Mine"] = "1"
        transport = make_transport(5, verify=True, session=session)
        transport.send("XGET", server.url, headers={}, body=_Slices(b"some ", b"bytes"))
        pieces: list[bytes] = []
        response = transport.stream(f"{server.url}/a", {}, lambda _: pieces.append)

    assert [asked.headers["X-Mine"] for asked in server.asked] == ["1", "1", "1"]
    assert (server.asked[0].method, server.asked[0].body) == ("XGET", b"some bytes")
    assert (response.status, b"".join(pieces)) == (200, b'{"done": true}')


def test_a_session_of_the_users_own_stays_open() -> None:
    """Whoever made it goes on with it, over the same connection, when the client is closed."""
    with requests.Session() as session, scripted(DONE, DONE) as server:
        transport = make_transport(5, verify=True, session=session)
        transport.send("GET", server.url, headers={})
        transport.close()
        session.get(server.url, timeout=5)

    assert len({asked.port for asked in server.asked}) == 1


def test_many_exchanges_in_one_thread() -> None:
    """A multi handle drives exchanges side by side; each ends with its own answer or error."""
    multi = pycurl.CurlMulti()
    with scripted(*[DONE] * 3) as server:
        exchanges = {}
        for url in (*[server.url] * 3, f"http://127.0.0.1:1/a?{SIGNATURE}"):
            exchange = CurlRequest(make_handle(5, verify=True), "XGET", url, headers={}, body=b"{}")
            exchanges[exchange.handle] = exchange
            multi.add_handle(exchange.handle)
        ended: list[Response] = []
        failed: list[BaseException] = []
        while len(ended) + len(failed) < len(exchanges):
            multi.perform()
            multi.select(1.0)
            _, succeeded, broken = multi.info_read()
            ended += [exchanges[handle].response() for handle in succeeded]
            failed += [exchanges[handle].lake_error(code, message) for handle, code, message in broken]

    assert [(response.status, response.body) for response in ended] == [(200, b'{"done": true}')] * 3
    assert len(failed) == 1
    assert isinstance(failed[0], TransportError)
    assert not failed[0].was_sent
    assert "XGET http://127.0.0.1:1/a: " in str(failed[0])
    assert "refused" in str(failed[0])


def test_redirects_lead_to_the_web_only(tmp_path: Path) -> None:
    """As far as they lead, but never to a file of this machine or to other protocols."""
    path = tmp_path / "secret"
    path.write_bytes(b"secret")
    there = [Given(302, b"", {"Location": f"/{number}"}) for number in range(3)]
    pieces: list[bytes] = []
    with scripted(*there, DONE, Given(302, b"", {"Location": path.as_uri()})) as server:
        transport = make_transport(5, verify=True)
        transport.stream(server.url, {}, lambda _: pieces.append)
        assert b"".join(pieces) == b'{"done": true}'
        pieces.clear()
        with pytest.raises(LakeError):
            transport.stream(server.url, {}, lambda response: pieces.append if response.is_success else None)
    assert pieces == []


def test_the_timeout_holds_for_a_session_of_the_users_own() -> None:
    """It has none of its own."""
    asked = threading.Event()
    with requests.Session() as session, scripted() as server:
        server.places["slow"] = lambda _: Given(body=asked.wait(3))
        with pytest.raises(TransportError, match="timed out"):
            make_transport(0.3, verify=True, session=session).send("GET", f"{server.url}/slow", headers={})
        asked.set()
