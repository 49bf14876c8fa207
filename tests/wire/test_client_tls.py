"""Whom the client trusts, and through which proxy it goes, by its own settings and those of the environment."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from socket import create_server, socket

import pytest
import requests

from airflow_provider_lake.client import Client, LakeError, RetryPolicy, TransportError, UsageError
from airflow_provider_lake.client.transport.session import make_transport
from tests.wire.connect_proxy import connect_proxy
from tests.wire.no_lakes import self_signed_certificate, web_site
from tests.wire.scripted import Given, scripted

_OF_THE_ENVIRONMENT = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what the machine's own environment says."""
    for name in _OF_THE_ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Return a certificate that nobody vouches for."""
    return self_signed_certificate(tmp_path)


@pytest.fixture
def server(certificate: Path) -> Iterator[str]:
    """Serve pages over TLS with that certificate."""
    with web_site(certificate=certificate) as address:
        yield f"https://{address}/"


def _status(url: str, verify: bool | str) -> int:
    transport = make_transport(5, verify)
    try:
        return transport.send("GET", url, headers={}).status
    finally:
        transport.close()


def test_a_server_that_nobody_vouches_for_is_refused(server: str) -> None:
    """Before anything is said to it, so the token is safe; the message says what is wrong."""
    with pytest.raises(TransportError, match="certificate") as caught:
        _status(server, verify=True)

    assert not caught.value.was_sent


def test_the_client_refuses_it_too(server: str) -> None:
    """Checking is what one gets who says nothing about it."""
    with pytest.raises(TransportError, match="certificate"):
        Client("token", host=server.rstrip("/"), retry=RetryPolicy(attempts=1))


def test_who_names_its_certificate_trusts_it(server: str, certificate: Path) -> None:
    """By the file of the authorities to trust."""
    assert _status(server, verify=str(certificate)) == 200


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environment_may_name_it(
    server: str, certificate: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the variables that requests reads; without, the same server is refused."""
    monkeypatch.setenv(name, str(certificate))

    assert _status(server, verify=True) == 200


def test_who_checks_nothing_gets_through(server: str) -> None:
    """As it was asked for."""
    assert _status(server, verify=False) == 200


def test_another_name_than_the_certificates_is_refused(server: str, certificate: Path) -> None:
    """A certificate that is trusted holds for its own host only."""
    with pytest.raises(TransportError, match="certificate"):
        _status(server.replace("127.0.0.1", "localhost"), verify=str(certificate))


def test_a_proxy_of_the_environment_carries_tls(
    server: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sees where the connection leads, not what goes over it; hosts that are excepted do not go there."""
    with connect_proxy() as (proxy, targets):
        monkeypatch.setenv("https_proxy", proxy)
        assert _status(server, verify=str(certificate)) == 200
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert _status(server, verify=str(certificate)) == 200

    assert targets == [f"CONNECT {server.removeprefix('https://').rstrip('/')}"]


def test_a_proxy_of_the_environment_is_asked_for_plain_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told the whole URL, of a host that only it need find."""
    with scripted(Given(body={"done": True})) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert _status("http://lake.invalid/api/home/ping?a=b", verify=True) == 200

    assert [asked.path for asked in proxy.asked] == ["http://lake.invalid/api/home/ping?a=b"]


def _words(url: str, session: requests.Session | None) -> str:
    transport = make_transport(5, True, session)
    try:
        with pytest.raises(LakeError) as caught:
            transport.send("GET", url, headers={})
    finally:
        transport.close()
    return str(caught.value)


@pytest.fixture(params=["libcurl", "a session"])
def session(request: pytest.FixtureRequest) -> requests.Session | None:
    """Return a session of the user's, or none."""
    return requests.Session() if request.param == "a session" else None


def _answer_by_alert(listening: socket) -> None:
    """Answer as servers of TLS answer plain words: by an alert."""
    opened, _ = listening.accept()
    with opened:
        opened.recv(1 << 16)
        opened.sendall(b"\x15\x03\x01\x00\x02\x02\x46")


def test_plain_words_to_a_server_of_tls_name_the_scheme(session: requests.Session | None) -> None:
    """One sentence, which says what to write instead."""
    with create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as pool:
        place = f"127.0.0.1:{listening.getsockname()[1]}"
        answered = pool.submit(_answer_by_alert, listening)
        said = _words(f"http://{place}/", session)
        answered.result(10)

    assert said == f"{place} does not speak plain HTTP: if it speaks TLS, write https://"


def test_tls_to_a_plain_server_names_the_scheme(session: requests.Session | None) -> None:
    """The same the other way round."""
    with web_site() as place:
        assert _words(f"https://{place}/", session).endswith(
            f": {place} does not speak TLS: for a lake without it, write http://"
        )


@pytest.mark.parametrize("what", ["verify", "cert"])
def test_a_session_whose_certificates_are_missing_is_a_wrong_setting(server: str, tmp_path: Path, what: str) -> None:
    """The error is the client's own, and names the file."""
    with requests.Session() as session:
        setattr(session, what, str(tmp_path / "missing.pem"))
        transport = make_transport(5, True, session)
        with pytest.raises(UsageError, match=r"missing\.pem"):
            transport.send("GET", server, headers={})


def test_what_is_trusted_holds_for_a_session_of_the_users_own(server: str, certificate: Path) -> None:
    """Whoever names authorities, or none, is heard."""
    with requests.Session() as session:
        for verify in (str(certificate), False):
            assert make_transport(5, verify, session).send("GET", server, headers={}).status == 200
