"""Several organizations on one lake: none sees, changes or guesses what another one has, on any route."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from fastapi.routing import APIRoute

from airflow_provider_lake.server.bootstrap import open_lake
from airflow_provider_lake.server.http.app import create_app
from airflow_provider_lake.server.settings import Settings
from airflow_provider_lake.server.work.background import LocalBackground
from tests.wire.job_calls import finished, photo
from tests.wire.lake_api import LakeApi
from tests.wire.two_organizations import CONTENT, TwoOrganizations, two_organizations

TYPED = {"object_name": "own.jpg", "content_type": "image/jpeg"}
DATA: dict[str, Any] = {"type": "IMAGE", "filename": "own.jpg", "tags": [], "data_source_id": None, **TYPED}
# What is sent where a route wants a body. A route that is missing here and wants one is answered 422, which no test
# lets pass: so none is forgotten.
BODIES: dict[str, Any] = {
    "PATCH /api/datalake/{datalake_id}/custom-metadata": {"allow_extra_custom_metadata": False},
    "POST /api/datalake/{datalake_id}/custom-metadata/keys/{key:path}": {"input_type": "STRING", "required": True},
    "POST /api/datalake/{datalake_id}/tags": {"name": "own"},
    "PATCH /api/tag/{tag_id}": {"name": "own"},
    "POST /api/tag/{tag_id}/attach": [],
    "POST /api/tag/{tag_id}/detach": [],
    "POST /api/organization/{organization_id}/datasources": {"name": "own"},
    "PATCH /api/data/source/{source_id}": {"name": "own"},
    "POST /api/datalake/{datalake_id}/datas": DATA,
    "XGET /api/datalake/{datalake_id}/datas": {"filenames": ["secret.jpg"]},
    "DELETE /api/datalake/{datalake_id}/datas": {"ids": []},
    "PATCH /api/datalake/{datalake_id}/data/bulk": {"objects": {}},
    "PATCH /api/data/{data_id}": {"metadata": None},
    "PATCH /api/data/{data_id}/custom-metadata": {"custom_metadata": None},
    "POST /api/data/{data_id}/projections": {
        "name": "own",
        "filename": "own.jpg",
        "file_size": 1,
        "width": 1,
        "height": 1,
        **TYPED,
    },
    "POST /api/organization/{organization_id}/connector/{connector_id}/generate_object_name": {
        "filename": "own.jpg",
        "type": "DATA",
    },
    "POST /api/datalake/{datalake_id}/objects": {"prefixes": [""], "tag_ids": []},
    "PATCH /api/processing/{processing_id}": {"description": "own"},
    "POST /api/organization/{organization_id}/processings": {"name": "own"},
    "POST /api/processing/{processing_id}/inputs": {"name": "own", "input_type": "NUMBER", "required": False},
    "PUT /api/processing/{processing_id}/inputs/{name:path}": {"required": False},
    "POST /api/v2/job/{job_id}/logging": {"log": "own"},
    "POST /api/v2/job/{job_id}/logging/save": {"logging_object_name": "own.log"},
}
# Names in paths and queries that are no ids.
NAMED = {"key": "secret", "name": "depth"}
QUERIES = {
    "GET /api/organizations/find": {"name": "local"},
    "GET /api/organization/{organization_id}/datasources/find": {"name": "secret source"},
    "GET /api/organization/{organization_id}/processings/find": {"name": "secret processing"},
    "GET /api/processings/public/find": {"name": "secret processing"},
    "GET /api/datalake/{datalake_id}/tags/find": {"name": "secret tag"},
    "GET /api/datalake/{datalake_id}/datas/find": {"filename": "secret.jpg"},
    "GET /api/organization/{organization_id}/jobv2s/find": {"id": "{job_id}"},
    "GET /api/organization/{organization_id}/datalake": {"id": "{datalake_id}"},
}
# It says who asks.
ABOUT_THE_CALLER = {"GET /api/home/ping"}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoOrganizations]:
    """Run a lake of two organizations."""
    with two_organizations(tmp_path_factory.mktemp("organizations")) as lake:
        yield lake


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return method and path of every route that wants a token, from the application's own table."""
    with open_lake(Settings(tmp_path_factory.mktemp("routes") / "data")) as lake:
        found = create_app(lake, LocalBackground(lake)).routes
    apis = [route for route in found if isinstance(route, APIRoute) and route.path.startswith("/api/")]
    return [f"{method} {route.path}" for route in apis for method in sorted(route.methods)]


def _call(both: TwoOrganizations, api: LakeApi, route: str, ids: dict[str, str]) -> requests.Response:
    method, template = route.split(" ")
    ids = ids | NAMED
    path = template.replace(":path}", "}").format(**ids)
    query = {name: value.format(**both.ids) for name, value in QUERIES.get(route, {}).items()}
    body = BODIES.get(route)
    if body is None and template.startswith("/api/object-storage"):
        body = TYPED | {"upload_id": both.ids["upload_id"], "part_no": 1, "parts": [{"ETag": "x", "PartNumber": 1}]}
    if body is None and route.endswith("/objects/projections"):
        body = {"projections": {both.names["data"]: [{"name": "own", "object_name": both.names["projection"]}]}}
    if body is None and route.endswith("/processing/launch"):
        body = {"processing_id": both.ids["processing_id"], "data_ids": [both.ids["data_id"]], "inputs": {}}
    return api.call(method, path, json=body, params=query)


def test_no_route_does_anything_with_ids_of_another_organization(both: TwoOrganizations, routes: list[str]) -> None:
    """Each one is answered 404, or 403, and not a row nor a byte of the other organization is changed or added."""
    rows, objects = both.rows(), both.objects()
    answers = {route: _call(both, both.second, route, dict(both.ids)) for route in routes}

    let_through = {
        route: answer.status_code for route, answer in answers.items() if answer.status_code not in {403, 404}
    }

    assert len(routes) > 60
    assert let_through.keys() == ABOUT_THE_CALLER
    told = json.dumps(answers["GET /api/home/ping"].json())
    assert not any(found in told for found in both.ids.values())
    assert both.rows() == rows
    assert both.objects() == objects


def test_every_route_wants_a_token(both: TwoOrganizations, routes: list[str]) -> None:
    """Without one, and with a wrong one, the answer is 401, whatever is asked for."""
    rows = both.rows()
    anybody = LakeApi.__new__(LakeApi)
    anybody.url, anybody.http = both.lake.url, requests.Session()
    without = {_call(both, anybody, route, dict(both.ids)).status_code for route in routes}
    anybody.http.headers["Authorization"] = "Bearer wrong"
    wrong = {_call(both, anybody, route, dict(both.ids)).status_code for route in routes}

    assert (without, wrong) == ({401}, {401})
    assert both.rows() == rows


def test_what_another_organization_has_is_not_reached_from_ones_own(both: TwoOrganizations) -> None:
    """Ids and names of the other organization, in bodies and queries of one's own routes, find and change nothing."""
    api, own, ids, names = both.second, both.own, both.ids, both.names
    rows, objects = both.rows(), both.objects()
    lake, storage = f"/api/datalake/{own['datalake_id']}", f"/api/object-storage/{own['connector_id']}"
    tag = api.post(f"{lake}/tags", {"name": "mine"}).json()["id"]
    mine = api.register("mine.jpg", api.upload("mine.jpg", photo())).json()["id"]
    upload = {"object_name": names["upload"], "upload_id": ids["upload_id"]}
    foreign: dict[str, Any] = {"data_source": None, "tags": [], "metadata": None, "custom_metadata": None}

    refused = [
        api.post(f"/api/tag/{tag}/attach", [ids["data_id"]]),
        api.post(f"/api/tag/{tag}/detach", [ids["data_id"]]),
        api.register("a.jpg", names["data"]),
        api.register("a.jpg", api.upload("a.jpg", photo()), tags=[ids["tag_id"]]),
        api.register("a.jpg", api.upload("a.jpg", photo()), data_source_id=ids["source_id"]),
        api.call("PATCH", f"{lake}/data/bulk", json={"objects": {ids["data_id"]: foreign}}),
        api.post(f"{lake}/processing/launch", {"processing_id": ids["processing_id"], "data_ids": [mine]}),
        api.post(f"{lake}/objects", {"prefixes": [""], "tag_ids": [ids["tag_id"]]}),
        api.post(f"{lake}/objects", {"prefixes": [""], "tag_ids": [], "data_source_id": ids["source_id"]}),
        api.post(f"{storage}/retrieve_presigned_url", {"object_name": names["data"]}),
        api.post(f"{storage}/generate_part_presigned_url", upload | {"part_no": 1}),
        api.post(f"{storage}/complete_part_upload", upload | {"parts": [{"ETag": "x", "PartNumber": 1}]}),
        api.get(f"{lake}/datas/find", params={"id": ids["data_id"]}),
        api.get(f"/api/organization/{own['organization_id']}/jobv2s/find", params={"id": ids["job_id"]}),
    ]
    deleted = api.call("DELETE", f"{lake}/datas", json={"ids": [ids["data_id"]]})
    listed = api.call("XGET", f"{lake}/datas", json={"ids": [ids["data_id"]]})

    assert {answer.status_code for answer in refused} <= {400, 403, 404}
    assert (deleted.status_code, listed.json()["items"]) == (204, [])
    assert rows - both.rows() == set()
    assert [row for row in both.rows() - rows if both.mentions_first(row)] == []
    assert both.objects() == objects


def test_an_import_finds_the_objects_of_its_own_organization_only(both: TwoOrganizations) -> None:
    """In both directions, also where the whole bucket is imported, and with names that lead into the other's folder."""
    inner = f".organizations/{both.own['organization_id']}"
    name = both.second.upload("hidden.jpg", photo())
    for api, reserved in ((both.first, inner), (both.second, ".organizations")):
        root = both.lake.objects / (inner if api is both.second else "")
        for prefix in ("", ".org"):
            finished(api, api.post(f"/api/datalake/{api.datalake}/objects", {"prefixes": [prefix]}).json()["job"]["id"])
        items = api.get(f"/api/datalake/{api.datalake}/datas", params={"limit": 1000}).json()["items"]
        assert not any(item["object_name"].startswith(".organizations") for item in items)
        assert items
        assert all((root / item["object_name"]).is_file() for item in items)
        storage = f"/api/object-storage/{api.connector}"
        refused = [
            api.post(f"/api/datalake/{api.datalake}/objects", {"prefixes": [f"{reserved}/"]}),
            api.post(f"{storage}/retrieve_presigned_url", {"object_name": f"{reserved}/{name}"}),
            api.post(f"{storage}/generate_presigned_url", TYPED | {"object_name": f"{reserved}/{name}"}),
            api.register("hidden.jpg", f"{reserved}/{name}"),
        ]
        assert {answer.status_code for answer in refused} <= {400, 422}


def test_the_same_object_name_is_another_object_in_each_organization(both: TwoOrganizations) -> None:
    """What one stores, reads or deletes under a name leaves the other's bytes of that name alone."""
    name = both.names["data"]
    other = photo(7, 7)
    form = both.second.presign(name)
    requests.post(form["url"], data=form["fields"], files={"file": other}, timeout=60).raise_for_status()
    mine = both.second.register("same.jpg", name).json()

    theirs = requests.get(both.first.get(f"/api/data/{both.ids['data_id']}").json()["presigned_url"], timeout=60)
    own = requests.get(mine["presigned_url"], timeout=60)
    deleted = both.second.call("DELETE", f"/api/data/{mine['id']}")

    assert (theirs.content, own.content, deleted.status_code) == (CONTENT, other, 204)
    assert (both.lake.objects / name).read_bytes() == CONTENT
    assert requests.get(mine["presigned_url"], timeout=60).status_code == 404


def test_a_token_is_void_at_once_when_it_is_revoked(both: TwoOrganizations) -> None:
    """By the id that the list shows; the user's others go on, and a removed user has none."""
    lake = both.lake
    token = lake.run("token", "add", "bea").strip()
    listed = [line.split("\t") for line in lake.run("token", "list").splitlines()]
    newest = [fields for fields in listed if fields[1] == "bea"][-1]

    def ping(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(f"{lake.url}/api/home/ping", headers=headers, timeout=30).status_code

    before = ping(token)
    lake.run("token", "revoke", newest[0])
    after = ping(token)
    carl = lake.run("user", "add", "carl", "--organization", "third").strip()
    there = ping(carl)
    lake.run("user", "remove", "carl")

    assert (before, after, there, ping(carl)) == (200, 401, 200, 401)
    assert both.second.get("/api/home/ping").json()["username"] == "bea"
    assert lake.run("user", "list").splitlines() == ["owner\tlocal\t1", "bea\tother\t1"]
    assert all(each not in lake.run("token", "list") for each in (token, lake.token))


def test_tokens_do_not_lie_in_the_database(both: TwoOrganizations) -> None:
    """Neither the owner's nor a user's stands in any row, nor in any file but the owner's own."""
    token = both.second.http.headers["Authorization"]
    assert isinstance(token, str)
    secrets = [both.lake.token, token.removeprefix("Bearer ")]
    files = [path for path in both.lake.data_dir.rglob("*") if path.is_file() and path.name != "token"]

    assert not any(secret in row for secret in secrets for row in both.rows())
    assert not any(secret.encode() in path.read_bytes() for secret in secrets for path in files)
