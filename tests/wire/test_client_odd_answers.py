"""Whatever a lake answers, the client raises nothing but its own errors, and one odd answer costs one file."""

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID, uuid4

import pytest
from PIL import Image

from airflow_provider_lake.client import (
    Client,
    Datalake,
    LakeError,
    MultiData,
    NotFoundError,
    ResponseError,
    RetryPolicy,
    UnexpectedResponseError,
    UploadFailedError,
)
from airflow_provider_lake.client.transport.session import Session, make_transport
from tests.wire.replay import RECORDED, id_of
from tests.wire.scripted import Asked, Given, Script, scripted

AT_ONCE = RetryPolicy(attempts=2, base_delay=0)
ODD_VALUES: tuple[Any, ...] = (None, 7, [None], {"a": []})


def _mutations(value: Any) -> Iterator[Any]:
    """Yield a value with a member missing, or of another type, anywhere in it."""
    yield from ODD_VALUES
    if isinstance(value, dict):
        for name, inner in value.items():
            yield {key: each for key, each in value.items() if key != name}
            yield from (value | {name: odd} for odd in _mutations(inner))
        yield {"data": value}
    elif isinstance(value, list) and value:
        yield from ([odd, *value[1:]] for odd in _mutations(value[0]))


def _session(server: Script) -> Session:
    session = Session(server.url, "token", make_transport(5, verify=True), AT_ONCE)
    session.organization_id = session.connector_id = uuid4()
    return session


def _datalake(server: Script) -> Datalake:
    return Datalake(uuid4(), _session(server), "default", uuid4())


def _answer_of(method: str, end: str) -> Any:
    """Return the answer of the first recorded exchange whose path ends so."""
    found = next(
        each for each in RECORDED if each["method"] == method and each["path"].endswith(end) and each["response"]
    )
    text = json.dumps(found["response"])
    for name in ("organization", "connector", "datalake", "data", "data1", "tag", "source", "job", "processing"):
        text = text.replace(f"{{{name}_id}}", id_of(f"{name}_id"))
    return json.loads(text)


CALLS: dict[str, tuple[str, str, Callable[[Datalake], Any]]] = {
    "tags": ("GET", "/tags", lambda lake: lake.list_data_tags(limit=2)),
    "a tag": ("POST", "/tags", lambda lake: lake.create_data_tag("car")),
    "data": ("GET", "/datas", lambda lake: list(lake.iter_data(limit=2))),
    "one data": ("GET", "/datas/find", lambda lake: lake.find_data("a.jpg")),
    "an import": ("POST", "/objects", lambda lake: lake.import_bucket_objects(["a/"])),
    "a datalake": ("GET", "/datalake", lambda lake: lake.refresh()),
}


@pytest.mark.parametrize("name", CALLS)
def test_only_lake_errors(name: str) -> None:
    """Of every answer, with every member left out or of another type, in every depth."""
    method, end, call = CALLS[name]
    answers = list(_mutations(_answer_of(method, end)))
    with scripted() as server:
        datalake = _datalake(server)
        for answer in answers:
            server.answers = [Given(body=copy.deepcopy(answer))] * 3
            with suppress(LakeError):
                call(datalake)
    assert len(answers) > 10


@pytest.mark.parametrize("body", [b"", b"null", b"[" * 100_000, b"\xff", b"<html>", b'{"id": "' + b"x" * 99 + b'"}'])
def test_bodies_that_are_no_answer(body: bytes) -> None:
    """Nothing, no JSON, JSON of any depth: one class of error, and a short one."""
    with scripted(*[Given(body=body)] * 2) as server, pytest.raises(UnexpectedResponseError) as caught:
        _datalake(server).create_data_tag("car")
    assert "tag" in str(caught.value)
    assert len(str(caught.value)) < 400


FILES = 8
ODD = "5.png"


class _Lake:
    """A lake that takes files, and answers oddly when it is asked about one of them.

    :param place: the last part of the path at which it does, or ``data`` for what it registers.
    :param odd: the answer there.
    """

    def __init__(self, server: Script, place: str, odd: Any) -> None:
        self.url = server.url
        self.place = place
        self.odd = odd
        self.registered: list[str] = []
        server.places = {
            "generate_object_name": self.name,
            "generate_presigned_url": self.sign,
            "bucket": lambda _: Given(204, b""),
            "datas": self.register,
        }

    def name(self, asked: Asked) -> Given:
        """Give an object the name of its file."""
        name = json.loads(asked.body)["filename"]
        return self.answer("generate_object_name", name, {"object_name": name})

    def sign(self, asked: Asked) -> Given:
        """Sign the upload of an object."""
        form = {"url": f"{self.url}/bucket", "fields": {"key": "k"}}
        answer = {"client_type": "aws", "presigned_url_data": form}
        return self.answer("generate_presigned_url", json.loads(asked.body)["object_name"], answer)

    def register(self, asked: Asked) -> Given:
        """Register an object."""
        name = json.loads(asked.body)["object_name"]
        self.registered.append(name)
        described = json.loads(asked.body)
        data = {
            **{key: described[key] for key in ("object_name", "filename", "type", "content_type")},
            "id": str(uuid4()),
            "upload_status": "DONE",
        }
        return self.answer("datas", name, data)

    def answer(self, place: str, name: str, answer: Any) -> Given:
        """Answer, oddly where that is asked for."""
        return Given(body=self.odd if place == self.place and name == ODD else answer)


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Make some images."""
    files = [tmp_path / f"{number}.png" for number in range(FILES)]
    for path in files:
        Image.new("RGB", (4, 4)).save(path)
    return files


@pytest.mark.parametrize(
    ("place", "odd", "reason"),
    [
        ("generate_object_name", {"name": "a"}, "no str under 'object_name'"),
        ("generate_object_name", {"object_name": 5}, "no str under 'object_name'"),
        ("generate_object_name", {"object_name": None}, "no str under 'object_name'"),
        ("generate_object_name", ["a"], "no str under 'object_name'"),
        ("generate_presigned_url", {"client_type": "aws"}, "no dict under 'presigned_url_data'"),
        (
            "generate_presigned_url",
            {"client_type": ["aws"], "presigned_url_data": {"url": "u", "fields": {}}},
            "client_type",
        ),
        (
            "generate_presigned_url",
            {"client_type": "aws", "presigned_url_data": {"url": "u", "fields": 7}},
            "answered no object",
        ),
        (
            "generate_presigned_url",
            {"presigned_url_data": {"url": "u", "fields": {"k": {}}}},
            "fields that are no text",
        ),
        ("datas", {"id": 7}, "none"),
        ("datas", {"id": "7"}, "none"),
        ("datas", [], "none"),
    ],
)
def test_one_odd_answer_costs_one_file(paths: list[Path], place: str, odd: Any, reason: str) -> None:
    """That file fails and says why; all others are there, and the caller gets them."""
    with scripted(*[Given(404, {"message": "none"})] * 9) as server:
        lake = _Lake(server, place, odd)
        with pytest.raises(UploadFailedError) as caught:
            _datalake(server).upload_data(paths)
    (failure,) = caught.value.errors

    assert Path(failure.path).name == ODD
    assert reason in str(failure) or place == "datas"
    assert sorted(data.filename for data in caught.value.uploaded) == sorted({path.name for path in paths} - {ODD})
    assert len(set(lake.registered) - {ODD}) == FILES - 1


def test_a_registration_whose_answer_is_odd_is_looked_up(paths: list[Path]) -> None:
    """What the lake has registered is not lost, though its answer cannot be read."""
    with scripted() as server:
        _Lake(server, "datas", {"id": None})
        found = {
            "id": str(uuid4()),
            "object_name": ODD,
            "filename": ODD,
            "type": "IMAGE",
            "content_type": "image/png",
            "upload_status": "DONE",
        }
        server.answers = [Given(body=found)]
        uploaded = _datalake(server).upload_data(paths)
    assert isinstance(uploaded, MultiData)
    assert [data.filename for data in uploaded] == [path.name for path in paths]
    assert UUID(found["id"]) in [data.id for data in uploaded]


def test_numbers_among_the_fields_of_a_form(paths: list[Path]) -> None:
    """They are sent as text; what is nothing is not sent."""
    with scripted() as server:
        _Lake(server, "", None)
        fields = {"max-size": 5, "expires": 1.5, "nothing": None}
        form = {"url": f"{server.url}/bucket", "fields": fields}
        server.places["generate_presigned_url"] = lambda _: Given(
            body={"client_type": "aws", "presigned_url_data": form}
        )
        _datalake(server).upload_data(paths[0])
        sent = next(each.body for each in server.asked if each.path == "/bucket")
    assert b'name="max-size"\r\n\r\n5\r\n' in sent
    assert b'name="nothing"' not in sent


def test_an_unforeseen_error_costs_one_file(paths: list[Path]) -> None:
    """It is that file's, whatever it is; the data of all others are returned."""
    sizes: Any = [(4, 4)] * (len(paths) - 1) + [4]
    with scripted() as server:
        _Lake(server, "", None)
        with pytest.raises(UploadFailedError, match="TypeError") as caught:
            _datalake(server).upload_data(paths, sizes=sizes)

    assert [error.path for error in caught.value.errors] == [str(paths[-1])]
    assert len(caught.value.uploaded) == len(paths) - 1


def test_a_progress_callback_that_raises_costs_no_file(paths: list[Path]) -> None:
    """All files are uploaded and returned."""

    def fail(done: int, total: int) -> None:
        raise ZeroDivisionError(done / (total - total))

    with scripted() as server:
        _Lake(server, "", None)
        uploaded = _datalake(server).upload_data(paths, progress=fail)
    assert isinstance(uploaded, MultiData)
    assert [data.filename for data in uploaded] == [path.name for path in paths]


NO_LAKES: dict[str, Given] = {
    "a JSON service": Given(body={"status": "ok"}),
    "a list": Given(body=[1, 2]),
    "an empty answer": Given(body=b""),
    "null": Given(body=None),
    "a page": Given(body=b"<!doctype html>", headers={"Content-Type": "text/html"}),
    "a name of another type": Given(body={"username": {"first": "x"}, "default_organization": None}),
    "a login page": Given(302, b"", {"Location": "/login?next=/api"}),
    "nothing of that path": Given(404, {"message": "no route"}),
}


@pytest.mark.parametrize("kind", NO_LAKES)
def test_a_service_that_is_no_lake(kind: str) -> None:
    """One sentence that says so, and which."""
    with scripted(*[NO_LAKES[kind]] * 2) as server, pytest.raises(LakeError) as caught:
        Client("token", host=server.url, retry=AT_ONCE)
    assert str(caught.value).startswith(f"{server.url} is no lake: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("status", [400, 404, 409, 500])
def test_only_a_redirect_redirects(status: int) -> None:
    """An error that names a place is an error: the lake's words are told."""
    answer = Given(status, {"message": "the name is taken", "detail": "by car"}, {"Location": "/api/tag/1"})
    with scripted(answer) as server, pytest.raises(ResponseError, match="the name is taken: by car") as caught:
        _datalake(server).create_data_tag("car")
    assert caught.value.status == status
    assert isinstance(caught.value, NotFoundError) is (status == 404)


def test_what_was_created_may_name_its_place() -> None:
    """A 201 with a Location is a success."""
    tag = {"id": str(uuid4()), "name": "car", "target_type": "DATA"}
    with scripted(Given(201, tag, {"Location": "/api/tag/1"})) as server:
        assert _datalake(server).create_data_tag("car").name == "car"


@pytest.mark.parametrize("status", [301, 304, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    """Nor is it read as an answer."""
    with scripted(Given(status, b"", {"Location": "/elsewhere"})) as server, pytest.raises(ResponseError):
        _datalake(server).create_data_tag("car")
    assert len(server.asked) == 1


@pytest.mark.parametrize("order_by", [None, ["filename"]])
@pytest.mark.parametrize("end", ["the cursor", "the page", "an empty page"])
def test_a_list_that_goes_round_in_circles(order_by: list[str] | None, end: str) -> None:
    """It ends with an error after at most three questions, in either way of paging."""

    def answer(asked: Asked) -> Given:
        limit = int(dict(parse_qsl(urlsplit(asked.path).query))["limit"])
        items = [] if end == "an empty page" and not order_by else [data] * limit
        cursor = "same" if end == "the cursor" else str(uuid4())
        return Given(body={"items": items, "count": 10**6, "next_cursor": cursor})

    data = {
        "id": str(uuid4()),
        "object_name": "a",
        "filename": "a",
        "type": "IMAGE",
        "content_type": "image/png",
        "upload_status": "DONE",
    }
    with scripted() as server:
        datalake = _datalake(server)
        server.places = _Everywhere(answer)
        with pytest.raises(UnexpectedResponseError):
            list(datalake.iter_data(order_by=order_by))
    assert len(server.asked) <= 3


class _Everywhere(dict[str, Callable[[Asked], Given]]):
    """Answers at every place in one way."""

    def __init__(self, answer: Callable[[Asked], Given]) -> None:
        super().__init__()
        self._answer = answer

    def get(self, _key: object, _default: object = None) -> Callable[[Asked], Given]:
        """Return the one answer."""
        return self._answer
