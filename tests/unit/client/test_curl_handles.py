"""What libcurl is told."""

from pathlib import Path

import pytest

from airflow_provider_lake.client.transport.curl_request import make_handle


@pytest.mark.parametrize("name", ["authorities.pem", "Schlüssel é.pem", "caf\udce9.pem"])
def test_certificates_may_lie_anywhere(name: str, tmp_path: Path) -> None:
    """The name of a file is bytes, not ASCII."""
    (tmp_path / name).touch()
    make_handle(5, str(tmp_path / name)).close()
