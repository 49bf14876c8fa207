"""Data that many clients register at the same time: each is answered for itself."""

import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from sqlalchemy import delete

from airflow_provider_lake.server.store.database import Database
from airflow_provider_lake.server.store.tables import Token
from tests.lake_process import LakeProcess
from tests.wire.job_calls import photo
from tests.wire.lake_api import LakeApi

CLIENTS = 8


def test_what_is_refused_spoils_nothing_else(lake: LakeProcess, api: LakeApi) -> None:
    """An unknown tag, an unknown source and an absent object are refused one by one; what is fine is registered."""
    names = [api.upload("a.jpg", photo()) for _ in range(CLIENTS * 4)]
    wrong: list[dict[str, object]] = [{}, {"tags": [str(uuid4())]}, {"data_source_id": str(uuid4())}, {}]

    def register(client: LakeApi, numbers: range) -> list[tuple[int, int]]:
        answers = []
        for number in numbers:
            name = names[number] if number % 4 < 3 else f"never-uploaded-{uuid4()}"
            answers.append((number % 4, client.register("a.jpg", name, **wrong[number % 4]).status_code))
        return answers

    parts = [range(start, start + 4) for start in range(0, len(names), 4)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        found = list(pool.map(register, [LakeApi(lake) for _ in parts], parts))

    assert Counter(chain.from_iterable(found)) == {
        (0, 201): CLIENTS,
        (1, 400): CLIENTS,
        (2, 400): CLIENTS,
        (3, 400): CLIENTS,
    }


def test_a_registered_data_is_what_is_read_later(api: LakeApi) -> None:
    """The answer to its creation, to its repetition, and to the question after it say the same."""
    tags = [api.post(f"/api/datalake/{api.datalake}/tags", {"name": f"{n}-{uuid4()}"}).json() for n in "ba"]
    source = api.post(f"/api/organization/{api.organization}/datasources", {"name": f"cam-{uuid4()}"}).json()
    name = api.upload("a.jpg", photo())
    fields: dict[str, Any] = {
        "tags": [tag["id"] for tag in tags],
        "data_source_id": source["id"],
        "metadata": {"reference": "é"},
        "custom_metadata": {"a": {"b": [1.5, 1e-7, 2**53 + 1, -0.0, True, None, '\u2028"é']}, "": {}},
        "meta": {"width": 64, "height": 48},
    }

    created = api.register("a.jpg", name, **fields)
    repeated = api.register("a.jpg", name, **fields | {"tags": [], "metadata": None})
    read = api.get(f"/api/data/{created.json()['id']}")

    assert (created.status_code, repeated.status_code) == (201, 208)
    assert created.json()["upload_status"] == "PENDING"
    assert [tag["name"] for tag in created.json()["tags"]] == sorted(tag["name"] for tag in tags)
    assert _lasting(created.json()) == _lasting(repeated.json()) == _lasting(read.json())


def _lasting(data: dict[str, Any]) -> dict[str, Any]:
    """Return what neither time nor the look at the image changes."""
    return {key: value for key, value in data.items() if key not in {"presigned_url", "upload_status", "meta"}}


_BODY = (
    b'{"type": "IMAGE", "filename": "a.jpg", "object_name": "NAME", "content_type": "image/jpeg", "tags": [],'
    b' "data_source_id": null, "metadata": METADATA}'
)


@pytest.mark.parametrize(
    ("metadata", "status"),
    [
        (b"null", 201),
        (b'{"reference": "caf\xc3\xa9 \\ud83d\\ude00"}', 201),
        (b'{"reference": "caf\xe9"}', 400),
        (b'{"reference": "\\ud800"}', 400),
        (b'{"reference": "a\\u0000b"}', 400),
        (b'{"altitude": NaN}', 400),
        (b'{"altitude": 1e999}', 400),
        (b'{"altitude": 9223372036854775808}', 400),
        (b'{"altitude": 1e30}', 201),
        (b"[" * 100 + b"]" * 100, 400),
        (b"[" * 20_000, 400),
        (b'{"reference": "%s"}' % (b"a" * 70_000), 422),
        (b'{"unknown": 1}', 422),
        (b'{"altitude": 1, "altitude": 2}', 201),
        (b"{", 422),
    ],
    ids=lambda given: None if isinstance(given, int) else given[:20].decode("latin-1"),
)
def test_a_body_is_read_as_that_of_any_other_request(api: LakeApi, metadata: bytes, status: int) -> None:
    """Registrations are read by code of their own, which refuses what the rest of the lake refuses."""
    given = _BODY.replace(b"NAME", api.upload("a.jpg", photo()).encode()).replace(b"METADATA", metadata)

    answer = api.post(f"/api/datalake/{api.datalake}/datas", data=given, headers={"Content-Type": "application/json"})

    assert answer.status_code == status
    assert status == 201 or answer.json()["message"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "invalid request: body.0: JSON decode error"),
        (b"[]", "invalid request: body: Input should be a valid dictionary or instance of DataBody"),
        (b"{}", "invalid request: body.type: Field required"),
    ],
)
def test_what_is_wrong_with_a_body_is_said_with_its_place(api: LakeApi, body: bytes, message: str) -> None:
    """As FastAPI says it of other routes."""
    answer = api.post(f"/api/datalake/{api.datalake}/datas", data=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["message"]) == (422, message)


def test_no_body_is_waited_for_before_the_token_is_known(api: LakeApi) -> None:
    """Of a stranger's request only the head is read."""
    head = (
        f"POST /api/datalake/{api.datalake}/datas HTTP/1.1\r\nHost: lake\r\nConnection: close\r\n"
        "Authorization: Bearer unknown\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    )
    place = urlsplit(api.url)
    with socket.create_connection((place.hostname, place.port), timeout=60) as connection:
        connection.sendall(head.encode())

        assert connection.recv(65536).startswith(b"HTTP/1.1 401 ")


def test_of_two_content_types_the_first_counts(api: LakeApi) -> None:
    """And the second one is as good as none."""
    body = _BODY.replace(b"NAME", api.upload("a.jpg", photo()).encode()).replace(b"METADATA", b"null")

    answer = _send(api, body, len(body), b"Content-Type: text/plain\r\nContent-Type: application/json\r\n")

    assert answer.startswith(b"HTTP/1.1 422 ")


def test_a_body_that_does_not_come_whole_registers_nothing(api: LakeApi) -> None:
    """Even if what has come of it could be read."""
    name = api.upload("a.jpg", photo())
    body = _BODY.replace(b"NAME", name.encode()).replace(b"METADATA", b"null")

    _send(api, body, len(body) + 1, b"Content-Type: application/json\r\n")

    assert api.register("a.jpg", name).status_code == 201


def _send(api: LakeApi, body: bytes, length: int, fields: bytes) -> bytes:
    """Send a registration by hand, without the end where that is announced, and return all that comes back."""
    place = urlsplit(api.url)
    head = (
        f"POST /api/datalake/{api.datalake}/datas HTTP/1.1\r\nHost: lake\r\nConnection: close\r\n"
        f"Authorization: {api.http.headers['Authorization']!s}\r\nContent-Length: {length}\r\n"
    )
    with socket.create_connection((place.hostname, place.port), timeout=60) as connection:
        connection.sendall(head.encode() + fields + b"\r\n" + body)
        if length > len(body):
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


def test_a_revoked_token_registers_nothing_more(own_lake: LakeProcess) -> None:
    """Not even a moment after it was good, and on the connection on which it was."""
    api = LakeApi(own_lake)
    first, second = (api.upload("a.jpg", photo()) for _ in range(2))
    assert api.register("a.jpg", first).status_code == 201

    database = Database(own_lake.database_url or f"sqlite:///{own_lake.data_dir / 'lake.db'}")
    with database.writing() as session:
        session.execute(delete(Token))
    database.close()

    assert api.register("a.jpg", second).status_code == 401
