"""Many data downloaded at once: all are tried, each has a file of its own, each failure is named."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from airflow_provider_lake.client import (
    Data,
    DownloadFailedError,
    ErrorManager,
    MultiData,
    RetryPolicy,
    UploadStatus,
)
from airflow_provider_lake.client.transport.session import Session, make_transport
from tests.wire.scripted import Given, Script, scripted

COUNT = 20
GONE = 7


def _many(server: Script, names: list[str]) -> MultiData:
    session = Session(server.url, "token", make_transport(5, verify=True), RetryPolicy(attempts=1))
    lake_id = uuid4()
    return MultiData(
        Data(
            uuid4(),
            session,
            lake_id,
            f"data/{number}",
            name,
            "IMAGE",
            "image/png",
            UploadStatus.DONE,
            url=f"{server.url}/{number}",
        )
        for number, name in enumerate(names)
    )


def _store(server: Script, count: int) -> None:
    for number in range(count):
        server.places[str(number)] = lambda asked: Given(200, asked.path.encode())


def test_one_that_is_gone_stops_no_other(tmp_path: Path) -> None:
    """All others are saved; the failure names its data, raised or collected."""
    with scripted() as server:
        _store(server, COUNT)
        server.places[str(GONE)] = lambda _: Given(404, b"")
        data = _many(server, [f"{number}.png" for number in range(COUNT)])
        with pytest.raises(DownloadFailedError, match=f"{GONE}.png") as caught:
            data.download(tmp_path / "raised")
        errors = ErrorManager()
        paths = data.download(tmp_path / "collected", error_manager=errors)

    assert len(caught.value.errors) == len(errors.errors) == 1
    assert len(list((tmp_path / "raised").iterdir())) == len(paths) == COUNT - 1


def test_data_of_one_name_become_files_of_their_own(tmp_path: Path) -> None:
    """Whatever their case, and wherever their names lead to."""
    names = ["a.png", "a.png", "A.PNG", "../a.png", "/etc/a.png", "..", ""]
    with scripted() as server:
        _store(server, len(names))
        paths = _many(server, names).download(tmp_path / "folder")

    assert len({str(path).casefold() for path in paths}) == len(names)
    assert [path.read_bytes() for path in paths] == [f"/{number}".encode() for number in range(len(names))]
    assert {path.parent for path in paths} == {tmp_path / "folder"}


class _Watching(requests.adapters.HTTPAdapter):
    """An adapter that keeps by what it is told to check certificates."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[Any, Any]] = []

    def send(self, request: requests.PreparedRequest, *args: Any, **settings: Any) -> requests.Response:
        """Send, without certificates."""
        self.seen.append((settings.pop("verify"), settings.pop("cert")))
        return super().send(request, *args, **settings)


@pytest.mark.parametrize(
    ("of_client", "expected"), [(True, "/authorities.pem"), (False, False), ("/others.pem", "/others.pem")]
)
def test_what_a_session_says_is_obeyed(of_client: bool | str, expected: bool | str) -> None:
    """Its headers, certificates and adapters; the client's own ``verify`` counts where it says something."""
    session, adapter = requests.Session(), _Watching()
    session.trust_env = False
    session.verify, session.cert = "/authorities.pem", "/own.pem"
    session.headers["X-Mine"] = "yes"
    session.mount("http://", adapter)
    with scripted(Given(body={})) as server:
        make_transport(5, verify=of_client, session=session).send("GET", f"{server.url}/a", headers={})

    assert adapter.seen == [(expected, "/own.pem")]
    assert server.asked[0].headers["X-Mine"] == "yes"
