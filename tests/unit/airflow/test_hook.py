"""From a connection to a client's arguments."""

import pytest
from airflow.sdk import Connection

from airflow_provider_lake.client import UsageError
from airflow_provider_lake.hooks.connection import base_url, make_client


@pytest.mark.parametrize(
    ("connection", "url"),
    [
        (Connection(conn_id="lake", conn_type="lake"), "https://app.picsellia.com"),
        (Connection(conn_id="lake", conn_type="lake", host="lake.example.com"), "https://lake.example.com"),
        (Connection(conn_id="lake", conn_type="lake", host="http://127.0.0.1:8765/"), "http://127.0.0.1:8765"),
        (
            Connection(conn_id="lake", conn_type="lake", host="127.0.0.1", schema="http", port=8765),
            "http://127.0.0.1:8765",
        ),
        (
            Connection(conn_id="lake", conn_type="lake", host="https://lake.example.com", port=0),
            "https://lake.example.com",
        ),
        (
            Connection(conn_id="lake", conn_type="lake", host="https://lake.example.com:1", port=2),
            "https://lake.example.com:1",
        ),
    ],
)
def test_the_host_is_completed_to_a_url(connection: Connection, url: str) -> None:
    """A bare name means https; a port of 0, which some forms send, means none."""
    assert base_url(connection) == url


@pytest.mark.parametrize(
    ("connection", "message"),
    [
        (Connection(conn_id="lake", conn_type="lake"), "'lake' has no API token"),
        (Connection(conn_id="lake", conn_type="lake", password="two words"), "characters that no token has"),
        (
            Connection(conn_id="lake", conn_type="lake", password="t", extra='{"timeout": "soon"}'),
            "timeout of connection 'lake'",
        ),
        (
            Connection(conn_id="lake", conn_type="lake", password="t", extra="[30]"),
            "extra fields of connection 'lake' are no JSON object",
        ),
    ],
)
def test_a_connection_that_cannot_work_is_named(connection: Connection, message: str) -> None:
    """Before anything is sent."""
    with pytest.raises(UsageError, match=message):
        make_client(connection)
