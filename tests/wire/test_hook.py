"""The hook against a real lake."""

import json

import pytest

from airflow_provider_lake.hooks.lake import LakeHook
from tests.lake_process import LakeProcess


def _hook(monkeypatch: pytest.MonkeyPatch, connection: str) -> LakeHook:
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_TEST", connection)
    return LakeHook("lake_test")


def test_a_good_connection_says_what_it_found(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence, with the datalake's name."""
    assert _hook(monkeypatch, lake.connection()).test_connection() == (True, "connected to datalake 'default'")


@pytest.mark.parametrize(
    "extra",
    [
        {"organization_name": "local", "datalake": "default"},
        {"organization_name": "", "datalake": "", "timeout": "", "verify_ssl": ""},
        {"timeout": "5", "verify_ssl": "false"},
        {"timeout": 2.5, "verify_ssl": False},
    ],
)
def test_extra_fields_are_understood_as_forms_and_urls_write_them(
    lake: LakeProcess, monkeypatch: pytest.MonkeyPatch, extra: dict[str, object]
) -> None:
    """Numbers and booleans also as text; what is empty is not given."""
    connection = json.loads(lake.connection()) | {"extra": extra}

    assert _hook(monkeypatch, json.dumps(connection)).test_connection()[0]


def test_a_connection_url_is_understood(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Airflow hands connections to its own test worker."""
    url = f"lake://:{lake.token}@127.0.0.1:{lake.port}/http?datalake=default"

    assert _hook(monkeypatch, url).test_connection()[0]


@pytest.mark.parametrize(
    ("changes", "extra", "said"),
    [
        ({"password": "wrong"}, {}, "does not know the API token"),
        ({"password": ""}, {}, "has no API token"),
        ({"host": "http://127.0.0.1:9"}, {}, "refused"),
        ({"host": "http://no-such-host.invalid"}, {}, "no-such-host.invalid"),
        ({}, {"organization_name": "nobody's"}, "nobody's"),
        ({}, {"organization_id": "00000000-0000-4000-8000-000000000000"}, "00000000-0000-4000-8000-000000000000"),
        ({}, {"organization_id": "not an id"}, "not an id"),
        ({}, {"datalake": "no-such-lake"}, "no-such-lake"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    lake: LakeProcess, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], extra: dict[str, str], said: str
) -> None:
    """The sentence names it, and holds no token."""
    connection = json.loads(lake.connection(**changes)) | {"extra": extra}

    succeeded, sentence = _hook(monkeypatch, json.dumps(connection)).test_connection()

    assert not succeeded
    assert said in sentence
    assert "\n" not in sentence
    assert lake.token not in sentence
