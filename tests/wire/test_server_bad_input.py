"""Bad input on every route: always a 4xx with a message, and nothing happens."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
import requests
from sqlalchemy import select

from airflow_provider_lake.server.settings import Settings
from airflow_provider_lake.server.store.database import Database
from airflow_provider_lake.server.store.states import DataType, JobKind
from airflow_provider_lake.server.store.tables import (
    Base,
    Connector,
    Data,
    Datalake,
    DataSource,
    Job,
    Organization,
    Processing,
    Projection,
    Tag,
)
from tests.lake_process import LakeProcess
from tests.wire.lake_api import LakeApi

ID = str(uuid4())
LONG = "x" * 10_000
OBJECT = {"object_name": "a.jpg"}
UPLOAD = OBJECT | {"upload_id": ID}
DETAILS = {"metadata": {"reference": "r"}, "custom_metadata": {"k": 1}, "tags": ["t"], "data_source": "s"}
PROCESSING = {
    "description": "d",
    "type": "t",
    "default_cpu": 1,
    "default_gpu": 0,
    "default_parameters": {"k": 1},
    "docker_image": "i",
    "docker_tag": "t",
    "docker_flags": ["f"],
}
INPUT = {"required": True, "inference_type_constraint": "c", "framework_constraint": "c"}
# A body for every route that takes one, valid but for the things that it names.
BODIES: dict[tuple[str, str], Any] = {
    ("patch", "/api/datalake/{datalake_id}/custom-metadata"): {"allow_extra_custom_metadata": True},
    ("post", "/api/datalake/{datalake_id}/custom-metadata/keys/{key}"): {"input_type": "FLOAT", "required": False},
    ("post", "/api/datalake/{datalake_id}/tags"): {"name": "n"},
    ("patch", "/api/tag/{tag_id}"): {"name": "n"},
    ("post", "/api/tag/{tag_id}/attach"): [ID],
    ("post", "/api/tag/{tag_id}/detach"): [ID],
    ("post", "/api/organization/{organization_id}/datasources"): {"name": "n"},
    ("patch", "/api/data/source/{source_id}"): {"name": "n"},
    ("post", "/api/datalake/{datalake_id}/datas"): {
        **OBJECT,
        "type": "IMAGE",
        "filename": "a.jpg",
        "content_type": "image/jpeg",
        "tags": [ID],
        "data_source_id": ID,
        "meta": {"width": 1, "height": 1},
        "metadata": {"latitude": 1.0, "longitude": 1.0},
        "custom_metadata": {"k": 1},
    },
    ("xget", "/api/datalake/{datalake_id}/datas"): {
        "ids": [ID],
        "object_names": ["a"],
        "filenames": ["a"],
        "q": "id=1",
    },
    ("delete", "/api/datalake/{datalake_id}/datas"): {"ids": [ID]},
    ("patch", "/api/datalake/{datalake_id}/data/bulk"): {"objects": {ID: DETAILS}},
    ("patch", "/api/data/{data_id}"): {"metadata": {"reference": "r"}},
    ("patch", "/api/data/{data_id}/custom-metadata"): {"custom_metadata": {"k": [1, "two"]}},
    ("post", "/api/data/{data_id}/projections"): {
        **OBJECT,
        "name": "n",
        "filename": "a.jpg",
        "content_type": "image/jpeg",
        "width": 1,
        "height": 1,
        "additional_info": {"k": 1},
    },
    ("post", "/api/organization/{organization_id}/connector/{connector_id}/generate_object_name"): {
        "filename": "a.jpg",
        "type": "DATA",
        "upload_dir": "d",
    },
    ("post", "/api/object-storage/{connector_id}/generate_presigned_url"): OBJECT | {"content_type": "image/jpeg"},
    ("post", "/api/object-storage/{connector_id}/retrieve_presigned_url"): OBJECT,
    ("post", "/api/object-storage/{connector_id}/init_multipart_upload"): OBJECT | {"content_type": "image/jpeg"},
    ("post", "/api/object-storage/{connector_id}/generate_part_presigned_url"): UPLOAD | {"part_no": 1},
    ("post", "/api/object-storage/{connector_id}/complete_part_upload"): UPLOAD
    | {"parts": [{"ETag": "e", "PartNumber": 1}]},
    ("post", "/api/datalake/{datalake_id}/objects"): {"objects": {"a.jpg": DETAILS}},
    ("post", "/api/datalake/{datalake_id}/objects/projections"): {"projections": {"a.jpg": [OBJECT | {"name": "n"}]}},
    ("post", "/api/organization/{organization_id}/processings"): PROCESSING | {"name": "n"},
    ("patch", "/api/processing/{processing_id}"): PROCESSING,
    ("post", "/api/processing/{processing_id}/inputs"): INPUT | {"name": "n", "input_type": "TEXT"},
    ("put", "/api/processing/{processing_id}/inputs/{name}"): INPUT,
    ("post", "/api/datalake/{datalake_id}/processing/launch"): {
        "processing_id": ID,
        "parameters": {"k": 1},
        "data_ids": [ID],
        "cpu": 1,
        "gpu": 0,
        "inputs": {"k": 1},
    },
    ("post", "/api/v2/job/{job_id}/logging"): {"log": ["line"], "part": "p"},
    ("post", "/api/v2/job/{job_id}/logging/save"): {"logging_object_name": "a.log"},
}
# No field of any route takes these, however deep inside.
NEVER_VALID = ("a\0b", "\ud800", 2**70, -(2**70), float("nan"), float("inf"))
SOMEWHERE_VALID: tuple[Any, ...] = (
    None,
    0,
    -1,
    1.5,
    True,
    "",
    LONG,
    "..",
    "../../out",
    "/etc/passwd",
    [],
    {},
    [None],
    {"": None},
)


@dataclass(frozen=True)
class Target:
    """A lake, what exists in its second organization, and the routes that the lake says it has."""

    api: LakeApi
    data_dir: Path
    foreign: dict[str, str]
    routes: dict[tuple[str, str], Any]

    def path(self, template: str, ids: dict[str, str]) -> str:
        """Fill in the ids, and the caller's own organization where none is given."""
        own = {
            "organization_id": self.api.organization,
            "datalake_id": self.api.datalake,
            "connector_id": self.api.connector,
        }
        filled = {"key": "k", "name": "n", "object_name": "a.jpg", "number": "1"} | own | ids
        for name, value in filled.items():
            template = template.replace(f"{{{name}}}", value)
        return template


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Run a lake with two organizations."""
    with LakeProcess(tmp_path_factory.mktemp("bad-input") / "data", is_preloaded=True) as process:
        api = LakeApi(process)
        described = api.get("/openapi.json").json()["paths"]
        routes = {
            (method, path): route
            for path, methods in described.items()
            for method, route in methods.items()
            if path.startswith("/api/")
        }
        yield Target(api, process.data_dir, _second_organization(process.data_dir), routes)
        # Whatever was asked of it, the lake wrote nothing outside of its folder.
        assert {path.name for path in process.data_dir.parent.iterdir()} == {"data", "data.log"}


def _second_organization(data_dir: Path) -> dict[str, str]:
    """Add one of everything that belongs to somebody else, and return the ids by the names of the paths' parts."""
    ids = {
        name: uuid4()
        for name in ("organization", "connector", "datalake", "data", "tag", "source", "projection", "job")
    } | {"processing": uuid4()}
    database = Database(Settings(data_dir).sqlalchemy_url)
    of_organization = {"organization_id": ids["organization"]}
    of_lake = {"datalake_id": ids["datalake"]}
    objects = {"object_name": "theirs.jpg", "filename": "theirs.jpg", "content_type": "image/jpeg"}
    rows: list[Base] = [
        Organization(id=ids["organization"], name="other"),
        Connector(id=ids["connector"], name="other", **of_organization),
        Datalake(id=ids["datalake"], name="other", connector_id=ids["connector"], **of_organization),
        Data(id=ids["data"], position=1, type=DataType.IMAGE, **of_lake, **objects),
        Tag(id=ids["tag"], name="other", **of_lake),
        DataSource(id=ids["source"], name="other", **of_organization),
        Projection(id=ids["projection"], data_position=1, name="other", **objects),
        Processing(id=ids["processing"], name="other", **of_organization),
        Job(id=ids["job"], kind=JobKind.IMPORT, status="SUCCEEDED", **of_lake),
    ]
    with database.writing() as session:
        for row in rows:
            session.add(row)
            session.flush()
    database.close()
    return {f"{name}_id": str(value) for name, value in ids.items()}


def _bodies(target: Target) -> Iterator[tuple[tuple[str, str], Any]]:
    """Yield every route with its body, None where it takes none."""
    for route in target.routes:
        yield route, BODIES.get(route)


def _call(target: Target, method: str, path: str, **options: Any) -> requests.Response:
    """Call a route; an error has a message."""
    answer = target.api.call(method.upper(), path, **options)
    if answer.status_code >= 400:
        assert isinstance(answer.json()["message"], str), answer.text
    return answer


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every value inside of a JSON value, and to itself."""
    yield place
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _places(each, (*place, key))


def _with(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    """Return a copy of a JSON value that has something else in one place."""
    if not place:
        return new
    copy = value.copy()
    copy[place[0]] = _with(copy[place[0]], place[1:], new)
    return copy


def _send_json(target: Target, method: str, path: str, body: Any) -> int:
    content = json.dumps(body).encode()  # requests would not send what is no JSON
    return _call(target, method, path, data=content, headers={"Content-Type": "application/json"}).status_code


def test_the_table_of_bodies_is_whole(target: Target) -> None:
    """Every route that takes a body is in it."""
    taking = {key for key, route in target.routes.items() if "requestBody" in route or key[0] == "xget"}
    assert taking == set(BODIES)


@pytest.mark.parametrize(("method", "path"), BODIES)
def test_wrong_bodies_are_refused(target: Target, method: str, path: str) -> None:
    """Whatever is wrong, and wherever."""
    filled, body = target.path(path, {"data_id": ID}), BODIES[method, path]
    deep: Any = body
    for _ in range(100):
        deep = {"k": deep}

    for wrong in (5, "text", None, True, deep):
        assert 400 <= _send_json(target, method, filled, wrong) < 500
    for content in (b"", b"{", b"\xff", b"[" * 100_000, b'{"k": ' * 20_000, b"NaN"):
        assert 400 <= _call(target, method, filled, data=content).status_code < 500
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        wrong_type = {"data": json.dumps(body), "headers": {"Content-Type": content_type}}
        assert 400 <= _call(target, method, filled, **wrong_type).status_code < 500
    for place in _places(body):
        for wrong in NEVER_VALID:
            assert 400 <= _send_json(target, method, filled, _with(body, place, wrong)) < 500, (place, wrong)
        for strange in SOMEWHERE_VALID:
            _send_json(target, method, filled, _with(body, place, strange))


def test_wrong_paths_are_refused(target: Target) -> None:
    """What is no id, in place of every id of every route."""
    wrong = ("0", "-1", str(2**70), LONG[:4000], "a%00b", "%ED%A0%80", "%FF", "..%2F..%2Fetc", f"{ID}%0A", quote("ü"))
    for (method, path), body in _bodies(target):
        for name in [part[1:-1] for part in path.split("/") if part.endswith("_id}")]:
            for value in wrong:
                answer = _call(target, method, target.path(path, {name: value}), json=body)
                assert 400 <= answer.status_code < 500, (method, path, value)


def test_wrong_queries_are_refused(target: Target) -> None:
    """What is no text nowhere, the rest where it does not fit."""
    for (method, path), body in _bodies(target):
        for parameter in target.routes[method, path].get("parameters", ()):
            if parameter["in"] != "query":
                continue
            url = target.path(path, {}) + f"?{parameter['name']}="
            for never in ("%00", "a%00b"):
                assert 400 <= _call(target, method, url + never, json=body).status_code < 500
            for strange in (
                "%ED%A0%80",
                "%FF",
                str(2**70),
                "-1",
                "1e999",
                "NaN",
                LONG[:4000],
                "..",
                "(" * 3000,
                "{",
                "",
            ):
                _call(target, method, url + strange, json=body)


def test_what_does_not_exist_or_is_somebody_elses_is_not_found(target: Target) -> None:
    """Both are answered alike, on every route that names something in its path."""
    for (method, path), body in _bodies(target):
        for name in [part[1:-1] for part in path.split("/") if part.endswith("_id}")]:
            unknown = _call(target, method, target.path(path, {name: str(uuid4())}), json=body)
            foreign = _call(target, method, target.path(path, {name: target.foreign[name]}), json=body)
            assert (unknown.status_code, foreign.status_code) == (404, 404), (method, path, name)


def test_somebody_elses_things_cannot_be_used(target: Target) -> None:
    """Neither their tags and sources for data, nor their data for tags."""
    api, foreign = target.api, target.foreign
    stored = api.upload("a.mp4", b"film")
    tag = api.post(f"/api/datalake/{api.datalake}/tags", {"name": "mine"}).json()["id"]

    answers = [
        api.register("a.mp4", stored, tags=[foreign["tag_id"]]),
        api.register("a.mp4", stored, data_source_id=foreign["source_id"]),
        api.post(f"/api/tag/{tag}/attach", [foreign["data_id"]]),
        api.post(f"/api/datalake/{api.datalake}/objects", {"prefixes": [""], "tag_ids": [foreign["tag_id"]]}),
    ]
    many = api.call("DELETE", f"/api/datalake/{api.datalake}/datas", json={"ids": [foreign["data_id"]]})

    assert [answer.ok for answer in answers] == [False] * len(answers)
    assert many.status_code == 204  # as with any unknown id
    database = Database(Settings(target.data_dir).sqlalchemy_url)
    with database.reading() as session:
        assert session.scalar(select(Data).where(Data.id == UUID(foreign["data_id"]))) is not None
    database.close()
