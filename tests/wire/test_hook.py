"""The hook against a real lake, and against what is none."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import Connection

from airflow_provider_lake.client.client import DEFAULT_HOST
from airflow_provider_lake.hooks.connection import base_url
from airflow_provider_lake.hooks.lake import LakeHook
from tests.lake_process import LakeProcess
from tests.wire.no_lakes import closed_port, self_signed_certificate, silent_server, web_site


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever proxy this machine uses, loopback goes without."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def _hook(monkeypatch: pytest.MonkeyPatch, connection: str) -> LakeHook:
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_TEST", connection)
    return LakeHook("lake_test")


def _complaint(monkeypatch: pytest.MonkeyPatch, lake: LakeProcess, **changes: Any) -> str:
    """Return what is said of a connection that does not work."""
    connection = json.loads(lake.connection()) | changes
    succeeded, sentence = _hook(monkeypatch, json.dumps(connection)).test_connection()
    assert not succeeded
    assert "\n" not in sentence
    assert lake.token not in sentence
    return sentence


def test_a_good_connection_says_what_it_found(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence, with the names of datalake and organization."""
    assert _hook(monkeypatch, lake.connection()).test_connection() == (
        True,
        f"connected to datalake 'default' of organization 'local' at {lake.url} as owner",
    )


@pytest.mark.parametrize(
    "extra",
    [
        {"organization_name": "local", "datalake": "default"},
        {"organization_name": "", "datalake": "", "timeout": "", "verify_ssl": ""},
        {"timeout": "5", "verify_ssl": "false"},
        {"timeout": 2.5, "verify_ssl": False},
        {"timeout": None, "verify_ssl": None, "datalake": None, "organization_id": None, "organization_name": None},
    ],
)
def test_extra_fields_are_understood_as_forms_and_urls_write_them(
    lake: LakeProcess, monkeypatch: pytest.MonkeyPatch, extra: dict[str, object]
) -> None:
    """Numbers and booleans also as text; what is empty is not given."""
    connection = json.loads(lake.connection()) | {"extra": extra}

    assert _hook(monkeypatch, json.dumps(connection)).test_connection()[0]


def test_a_port_of_0_is_none(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """As some versions of the connection form send it."""
    connection = json.loads(lake.connection()) | {"port": 0}

    assert _hook(monkeypatch, json.dumps(connection)).test_connection()[0]


def test_white_space_around_a_host_is_nothing(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing but white space is no host: the platform is meant, as with an empty one."""
    connection = json.loads(lake.connection())

    assert _hook(monkeypatch, json.dumps(connection | {"host": f" {lake.url}/ "})).test_connection()[0]
    blank = _hook(monkeypatch, json.dumps(connection | {"host": "  "})).connection
    assert base_url(blank) == DEFAULT_HOST


def test_a_connection_survives_the_way_through_a_url(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow hands connections to its own test worker as URLs, in which every extra field is text."""
    extra = {"verify_ssl": False, "timeout": 2.5, "datalake": "default", "organization_name": "local"}
    connection = Connection(
        conn_id="lake_test", conn_type="lake", host=lake.url, password=lake.token, extra=json.dumps(extra)
    )

    hook = _hook(monkeypatch, connection.get_uri())

    assert hook.test_connection()[0]
    assert hook.connection.extra_dejson["datalake"] == "default"


def test_a_connection_url_is_understood(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Host, scheme and port may stand in parts of their own."""
    url = f"lake://:{lake.token}@127.0.0.1:{lake.port}/http?datalake=default"

    assert _hook(monkeypatch, url).test_connection()[0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"password": "wrong"}, "does not know the API token"),
        ({"password": ""}, "has no API token"),
        ({"extra": {"organization_name": "nobody's"}}, 'gives no access to organization "nobody\'s"'),
        (
            {"extra": {"organization_id": "00000000-0000-4000-8000-000000000000"}},
            "gives no access to organization '00000000-0000-4000-8000-000000000000'",
        ),
        ({"extra": {"organization_id": "not an id"}}, "not an id"),
        (
            {"extra": {"datalake": "no-such-lake"}},
            "organization 'local' has no datalake named 'no-such-lake'; it has 'default'",
        ),
        ({"extra": {"timeout": "soon"}}, "timeout of connection 'lake_test' is no number of seconds: 'soon'"),
        ({"extra": {"timeout": -1}}, "timeout of connection 'lake_test' is no number of seconds: -1"),
        ({"host": "http://me:hidden@127.0.0.1:port"}, "host '127.0.0.1:port' of connection 'lake_test' is no host"),
        ({"host": "http://[::1"}, "is no host: Invalid IPv6 URL"),
        ({"host": "ftp://127.0.0.1"}, "must begin with http:// or https://"),
        ({"host": "http://"}, "host 'http://' is no host"),
        ({"host": "http://127.0.0.1\n.example"}, "of connection 'lake_test' is no host"),
        ({"host": "http://127.0.0.1/?a=1"}, "is no host: give a URL such as https://host:port"),
        ({"host": "ho st"}, "has white space"),
        ({"extra": {"timeout": 10**400}}, "timeout of connection 'lake_test' is no number of seconds"),
    ],
)
def test_a_wrong_field_is_named(
    lake: LakeProcess, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], said: str
) -> None:
    """One sentence says which, and what is right where the lake knows it."""
    assert said in _complaint(monkeypatch, lake, **changes)


def test_a_datalake_without_connector_is_of_no_use(own_lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be read, but nothing can come in."""
    with sqlite3.connect(own_lake.data_dir / "lake.db") as database:
        database.execute("UPDATE datalakes SET connector_id = NULL")

    said = _complaint(monkeypatch, own_lake)

    assert said == "datalake 'default' has no connector: it can neither upload nor import"


def test_credentials_in_the_host_are_not_shown(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some people write them there; whatever is said of the host leaves them out."""
    host = f"http://user:hidden@127.0.0.1:{lake.port}"
    works = _hook(monkeypatch, lake.connection(host=host)).test_connection()

    assert works == (True, f"connected to datalake 'default' of organization 'local' at {lake.url} as owner")
    assert "hidden" not in _complaint(monkeypatch, lake, host=host, password="wrong")
    assert "hidden" not in _complaint(monkeypatch, lake, host=f"http://user:hidden@{closed_port()}")


def test_an_unknown_host_is_named(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that no name server knows."""
    said = _complaint(monkeypatch, lake, host="https://no-such-host.invalid")

    assert said.startswith("there is no host 'no-such-host.invalid'")


def test_a_closed_port_is_named(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine is there, and nothing listens."""
    place = closed_port()

    assert _complaint(monkeypatch, lake, host=f"http://{place}").startswith(f"nothing listens at {place}")


def test_a_server_that_says_nothing_is_named(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the seconds that were waited."""
    with silent_server() as place:
        said = _complaint(monkeypatch, lake, host=f"http://{place}", extra={"timeout": 0.2})

    assert said.startswith(f"{place} does not answer within 0.2 s")


def test_a_certificate_that_nobody_vouches_for_is_named(
    lake: LakeProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With the two ways out."""
    with web_site(certificate=self_signed_certificate(tmp_path)) as place:
        said = _complaint(monkeypatch, lake, host=f"https://{place}")

    assert said.startswith(f"the TLS certificate of {place} is not to be trusted (self-signed certificate)")
    assert "turn off the check" in said


def test_a_certificate_is_not_looked_at_where_that_is_turned_off(
    lake: LakeProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is wrong then is something else."""
    with web_site(certificate=self_signed_certificate(tmp_path)) as place:
        said = _complaint(monkeypatch, lake, host=f"https://{place}", extra={"verify_ssl": False})

    assert said == f"{place} answers, but not as a lake does: check the host"


def test_tls_with_a_server_that_has_none_is_named(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual slip with an embedded lake."""
    said = _complaint(monkeypatch, lake, host=f"https://127.0.0.1:{lake.port}")

    assert said.endswith("for a lake without it, begin the host with http://")


@pytest.mark.parametrize("status", [200, 404, 500])
def test_a_web_site_is_no_lake(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    """Whatever it answers."""
    with web_site(status) as place:
        said = _complaint(monkeypatch, lake, host=f"http://{place}")

    assert place in said
    assert ("cannot answer now" if status == 500 else "check the host") in said


def test_the_connection_chooses_the_datalake(own_lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody names another one: the task's own argument wins, and without either it is the default one."""
    own_lake.run("datalake", "add", "night")
    connection = json.loads(own_lake.connection())
    chosen = _hook(monkeypatch, json.dumps(connection | {"extra": {"datalake": "night"}}))
    names = [chosen.get_datalake().name, chosen.get_datalake("default").name]

    names.append(_hook(monkeypatch, own_lake.connection()).get_datalake().name)

    assert names == ["night", "default", "default"]
    assert "datalake 'night'" in chosen.test_connection()[1]


def test_plain_http_to_a_server_of_tls_names_the_scheme(
    lake: LakeProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence says what the host should begin with."""
    with web_site(certificate=self_signed_certificate(tmp_path)) as place:
        said = _complaint(monkeypatch, lake, host=f"http://{place}")

    assert said == f"{place} speaks TLS: begin the host with https://"
