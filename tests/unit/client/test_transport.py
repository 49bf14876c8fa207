"""What messages may show of a URL."""

import pytest

from airflow_provider_lake.client.transport.base import without_secrets


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://lake.example.com/api/home/ping", "https://lake.example.com/api/home/ping"),
        ("https://s3.example.com/bucket/a@b.jpg?X-Amz-Signature=secret", "https://s3.example.com/bucket/a@b.jpg"),
        ("http://user:secret@127.0.0.1:8765/api?q=a@b", "http://127.0.0.1:8765/api"),
        ("http://user:se@cret@lake", "http://lake"),
        ("/login?next=secret", "/login"),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    """Neither the query nor the credentials before the host; an @ elsewhere stays."""
    assert without_secrets(url) == shown
