"""How the client deals with single answers."""

import time
from pathlib import Path
from uuid import uuid4

import pytest

from airflow_provider_lake.client import (
    BadRequestError,
    Client,
    Datalake,
    Job,
    JobError,
    JobFailedError,
    JobKilledError,
    JobStatus,
    NotFoundError,
    RateLimitedError,
    ResponseError,
    RetryPolicy,
    ServerError,
    TransportError,
    UsageError,
)
from airflow_provider_lake.client.transport.session import Session, make_transport
from tests.wire.scripted import Given, scripted

TOKEN = "secret"
AT_ONCE = RetryPolicy(base_delay=0)
DONE = Given(body={"done": True})


def _session(url: str, retry: RetryPolicy = AT_ONCE) -> Session:
    return Session(url, TOKEN, make_transport(5, verify=True), retry)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_lake_is_asked_again(status: int) -> None:
    """A question that changes nothing is repeated until it is answered."""
    with scripted(Given(status), Given(status), DONE) as server:
        assert _session(server.url).request("GET", "/api/x") == {"done": True}

    assert len(server.asked) == 3


@pytest.mark.parametrize(("status", "times"), [(429, 2), (503, 2), (502, 1), (504, 1), (500, 1)])
def test_a_create_is_repeated_only_when_it_was_turned_away(status: int, times: int) -> None:
    """A POST goes out once more only if the lake says that it did nothing."""
    with scripted(Given(status, {"message": "busy"}), DONE) as server:
        session = _session(server.url)
        if times == 1:
            with pytest.raises(ServerError, match="busy"):
                session.request("POST", "/api/x", json={"a": 1})
        else:
            session.request("POST", "/api/x", json={"a": 1})

    assert [asked.body for asked in server.asked] == [b'{"a": 1}'] * times


def test_the_lake_says_how_long_to_wait() -> None:
    """Nothing is sent before the seconds of Retry-After are over."""
    with scripted(Given(429, headers={"Retry-After": "1"}), DONE) as server:
        started = time.monotonic()
        _session(server.url).request("GET", "/api/x")

    assert time.monotonic() - started >= 1


def test_a_wait_beyond_all_patience_is_not_begun() -> None:
    """The error carries how long the lake wants to be left alone."""
    with scripted(Given(429, headers={"Retry-After": "3600"})) as server, pytest.raises(RateLimitedError) as caught:
        _session(server.url).request("GET", "/api/x")

    assert caught.value.retry_after == 3600


def test_a_truncated_answer_is_no_answer() -> None:
    """An answer shorter than announced is asked for again, and in the end an error of transport."""
    cut = Given(body=b'{"done": tr', headers={"Content-Length": "100", "Connection": "close"})
    with scripted(cut, DONE) as server:
        assert _session(server.url).request("GET", "/api/x") == {"done": True}
    with scripted(*[cut] * 5) as server, pytest.raises(TransportError, match=r"GET .*/api/x"):
        _session(server.url).request("GET", "/api/x")


def test_something_that_is_no_lake() -> None:
    """A page in HTML is named for what it is."""
    page = Given(body=b"<html>", headers={"Content-Type": "text/html"})
    with scripted(page) as server, pytest.raises(TransportError, match="text/html that is no JSON: is there a lake"):
        _session(server.url, RetryPolicy(attempts=1)).request("GET", "/api/x")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'{"serial": 123456789012345678901234567890}', {"serial": 123456789012345678901234567890}),
        (b'{"gain": Infinity}', {"gain": float("inf")}),
        (b'"half a pair: \\ud800"', "half a pair: \ud800"),
    ],
)
def test_numbers_and_text_come_as_they_were_sent(text: bytes, value: object) -> None:
    """Integers of any size keep their digits, and what is not quite JSON is read as Python would write it."""
    with scripted(Given(body=text)) as server:
        assert _session(server.url).request("GET", "/api/x") == value


def test_a_redirect_is_not_followed() -> None:
    """A token goes only where it was meant to go; the error says where it was to go."""
    moved = Given(301, headers={"Location": "https://elsewhere/api/x"})
    with scripted(moved) as server, pytest.raises(ResponseError, match="redirected to https://elsewhere/api/x"):
        _session(server.url).request("POST", "/api/x")

    assert len(server.asked) == 1


def test_netrc_does_not_replace_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What else the user has for that host is not sent."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else")
    monkeypatch.setenv("NETRC", str(netrc))
    with scripted(DONE) as server:
        _session(server.url).request("GET", "/api/x")

    assert server.asked[0].headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"message": "no such tag"}, "no such tag (404 to GET /api/x)"),
        ({"detail": "Not Found"}, "Not Found: Not Found (404 to GET /api/x)"),
        (b"<Error><Message>no such key</Message></Error>", "no such key (404 to GET /api/x)"),
        (b"", "Not Found (404 to GET /api/x)"),
        ([1], "Not Found: [1] (404 to GET /api/x)"),
    ],
)
def test_an_error_holds_the_lakes_words(body: object, words: str) -> None:
    """In whatever form they come."""
    with scripted(Given(404, body)) as server, pytest.raises(NotFoundError) as caught:
        _session(server.url).request("GET", "/api/x")

    assert str(caught.value) == words


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, b"bytes"])
def test_what_is_no_json_is_refused(value: object) -> None:
    """Nothing is sent that the lake could not read."""
    with scripted() as server, pytest.raises(UsageError, match="cannot be sent as JSON"):
        _session(server.url).request("POST", "/api/x", json={"value": value})

    assert server.asked == []


def test_an_error_without_token(caplog: pytest.LogCaptureFixture) -> None:
    """Neither errors nor the log of repeated attempts show it."""
    with scripted(*[Given(503)] * 5) as server, pytest.raises(ServerError) as caught:
        _session(server.url).request("GET", "/api/x", params=[("name", "n")])

    assert "attempt 2 of 5" in caplog.text
    assert TOKEN not in caplog.text + repr(caught.value)


def test_a_token_without_organization() -> None:
    """Who belongs to none by default must name one."""
    ping = Given(body={"username": "tester", "default_organization": None})
    with scripted(ping) as server, pytest.raises(UsageError, match="give organization_id or organization_name"):
        Client(TOKEN, host=server.url)


def test_an_organization_by_name() -> None:
    """It is looked up by its name, and every further request names its id."""
    organization, default = str(uuid4()), str(uuid4())
    with scripted(
        Given(body={"username": "tester", "default_organization": default}),
        Given(body={"id": organization}),
        Given(body={"id": organization, "name": "acme", "default_connector_id": None}),
        Given(body={"items": []}),
    ) as server:
        client = Client(TOKEN, organization_name="acme", host=f"{server.url}/")
        assert client.list_datalakes() == []

    assert str(client.organization_id) == organization
    assert [asked.path for asked in server.asked] == [
        "/api/home/ping",
        "/api/organizations/find?name=acme",
        f"/api/organization/{organization}",
        f"/api/organization/{organization}/datalakes",
    ]
    assert server.asked[-1].headers["X-Picsellia-Organization"] == organization


def test_the_schema_of_custom_metadata() -> None:
    """It is read and changed key by key; a key may hold any character."""
    lake = str(uuid4())
    with scripted(
        Given(body={"keys": {}}), Given(body={}), Given(body={"input_type": "FLOAT"}), Given(204, b"")
    ) as server:
        datalake = Datalake.from_json(_session(server.url), {"id": lake, "name": "default"})
        assert datalake.get_custom_metadata_schema() == {"keys": {}}
        datalake.set_allow_extra_custom_metadata(True)
        assert datalake.upsert_custom_metadata_schema_key("a/b", {"input_type": "FLOAT"}) == {"input_type": "FLOAT"}
        datalake.delete_custom_metadata_schema_key("a/b")

    path = f"/api/datalake/{lake}/custom-metadata"
    assert [(asked.method, asked.path) for asked in server.asked] == [
        ("GET", path),
        ("PATCH", path),
        ("POST", f"{path}/keys/a%2Fb"),
        ("DELETE", f"{path}/keys/a%2Fb"),
    ]


@pytest.mark.parametrize(("status", "kind"), [("FAILED", JobFailedError), ("KILLED", JobKilledError)])
def test_why_a_job_failed_is_told_even_if_its_log_cannot_be_read(status: str, kind: type[JobError]) -> None:
    """The lake's own reason stands first; that there is no log stands in its place."""
    with scripted(Given(403, {"detail": "not for you"})) as server:
        job = Job(uuid4(), _session(server.url), JobStatus(status), error="no such parameter")
        with pytest.raises(kind, match="no such parameter") as caught:
            job.require_success()

    assert "its log cannot be read" in str(caught.value)


def test_a_lake_without_logs_has_no_log_tail() -> None:
    """What the platform does not have is empty, not an error."""
    for status in (404, 405):
        with scripted(Given(status)) as server:
            assert Job(uuid4(), _session(server.url), JobStatus.FAILED).log_tail() == []
    with scripted(Given(400)) as server, pytest.raises(BadRequestError):
        Job(uuid4(), _session(server.url), JobStatus.FAILED).log_tail()
