"""Data, tags, sources and datalakes over plain HTTP."""

from io import BytesIO
from uuid import uuid4

import pytest
from PIL import Image

from tests.wire.lake_api import LakeApi


def _photo(width: int = 8, height: int = 6) -> bytes:
    file = BytesIO()
    Image.new("RGB", (width, height)).save(file, "JPEG")
    return file.getvalue()


def _tagged(api: LakeApi, count: int) -> tuple[str, list[str]]:
    """Make data with a tag of their own; return the tag's name and the ids in the order of creation."""
    name = f"tag-{uuid4()}"
    tag = api.post(f"/api/datalake/{api.datalake}/tags", {"name": name}).json()["id"]
    ids = []
    for number in range(count):
        stored = api.upload(f"{number}.jpg", _photo())
        ids.append(api.register(f"{number}.jpg", stored, tags=[tag]).json()["id"])
    return name, ids


def test_registering_an_object_again_answers_the_same_data(api: LakeApi) -> None:
    """So that a create may be repeated after a lost answer: one row, whatever happens."""
    stored = api.upload("once.jpg", _photo())

    first, second = api.register("once.jpg", stored), api.register("other-name.jpg", stored)

    assert (first.status_code, second.status_code) == (201, 208)
    assert second.json()["id"] == first.json()["id"]
    assert second.json()["filename"] == "once.jpg"


def test_an_object_must_be_there_to_be_registered(api: LakeApi) -> None:
    """The message names it."""
    answer = api.register("a.jpg", "data/never-uploaded.jpg")

    assert answer.status_code == 400
    assert "data/never-uploaded.jpg" in answer.json()["message"]


@pytest.mark.parametrize("field", ["tags", "data_source_id"])
def test_unknown_tags_and_sources_are_named(api: LakeApi, field: str) -> None:
    """And nothing is registered."""
    stored, unknown = api.upload("a.jpg", _photo()), str(uuid4())

    answer = api.register("a.jpg", stored, **{field: [unknown] if field == "tags" else unknown})

    assert (answer.status_code, unknown in answer.json()["message"]) == (400, True)
    assert api.get(f"/api/datalake/{api.datalake}/datas/find", params={"object_name": stored}).status_code == 404


@pytest.mark.quick
def test_pages_along_the_cursor_have_every_row_once_while_rows_are_added(api: LakeApi) -> None:
    """New rows come behind all others: they shift nothing, and are found at the end."""
    name, ids = _tagged(api, 5)
    path, query = f"/api/datalake/{api.datalake}/datas", {"q": f'tags.name = "{name}"', "limit": "2"}
    tag = api.get(f"/api/datalake/{api.datalake}/tags/find", params={"name": name}).json()["id"]

    page = api.get(path, params=query).json()
    seen = [item["id"] for item in page["items"]]
    ids.append(api.register("late.jpg", api.upload("late.jpg", _photo()), tags=[tag]).json()["id"])
    while page["next_cursor"]:
        page = api.get(path, params=query | {"cursor": page["next_cursor"]}).json()
        seen += [item["id"] for item in page["items"]]

    assert seen == ids
    assert page["count"] == 6


def test_a_page_along_the_cursor_has_what_came_in_place_of_deleted_rows(api: LakeApi) -> None:
    """A position is never given twice, also not that of the last row."""
    name, ids = _tagged(api, 3)
    path, query = f"/api/datalake/{api.datalake}/datas", {"q": f'tags.name = "{name}"', "limit": "2"}
    tag = api.get(f"/api/datalake/{api.datalake}/tags/find", params={"name": name}).json()["id"]

    cursor = api.get(path, params=query).json()["next_cursor"]
    api.call("DELETE", path, json={"ids": ids})
    late = api.register("late.jpg", api.upload("late.jpg", _photo()), tags=[tag]).json()["id"]

    found = api.get(path, params=query | {"cursor": cursor}).json()["items"]
    assert [item["id"] for item in found] == [late]


def test_ids_are_paged_alike(api: LakeApi) -> None:
    """By cursor and by offset."""
    name, ids = _tagged(api, 3)
    path, query = f"/api/datalake/{api.datalake}/datas/ids/paginated", {"q": f'tags.name = "{name}"', "limit": "2"}

    first = api.get(path, params=query).json()
    second = api.get(path, params=query | {"cursor": first["next_cursor"]}).json()

    assert first["items"] + second["items"] == ids
    assert second["next_cursor"] is None
    assert api.get(path, params=query | {"offset": "1"}).json()["items"] == ids[1:]


def test_another_order_is_paged_by_offset(api: LakeApi) -> None:
    """Descending, too; a field that data cannot be ordered by is named."""
    name, ids = _tagged(api, 3)
    path, query = f"/api/datalake/{api.datalake}/datas", {"q": f'tags.name = "{name}"', "order_by": "-filename"}

    page = api.get(path, params=query | {"limit": "2", "offset": "1"}).json()

    assert [item["id"] for item in page["items"]] == ids[1::-1]
    wrong = api.get(path, params={"order_by": "shoe_size"})
    assert (wrong.status_code, "shoe_size" in wrong.json()["message"]) == (400, True)


@pytest.mark.parametrize("kind", ["ids", "object_names", "filenames"])
def test_named_data_are_listed_by_xget(api: LakeApi, kind: str) -> None:
    """XGET is a method of its own, with a body."""
    stored = api.upload("named.jpg", _photo())
    filename = f"{uuid4()}.jpg"
    created = api.register(filename, stored).json()
    names = {"ids": created["id"], "object_names": stored, "filenames": filename}

    answer = api.call("XGET", f"/api/datalake/{api.datalake}/datas", json={kind: [names[kind]]}).json()

    assert [item["id"] for item in answer["items"]] == [created["id"]]


def test_several_data_of_one_filename_are_not_found_as_one(api: LakeApi) -> None:
    """The message says that there are several."""
    filename = f"{uuid4()}.jpg"
    for _ in range(2):
        api.register(filename, api.upload(filename, _photo()))

    answer = api.get(f"/api/datalake/{api.datalake}/datas/find", params={"filename": filename})

    assert answer.status_code == 400
    assert "several data" in answer.json()["message"]


@pytest.mark.parametrize("cursor", ["x", "-1", "é", "MQ==MQ", "9" * 40])
def test_a_cursor_that_is_none_is_refused(api: LakeApi, cursor: str) -> None:
    """With a message, never a wrong page."""
    answer = api.get(f"/api/datalake/{api.datalake}/datas", params={"cursor": cursor})

    assert answer.status_code == 400
    assert "cursor" in answer.json()["message"]


@pytest.mark.parametrize(
    ("metadata", "named"),
    [
        ({"latitude": 1.0}, "latitude and longitude"),
        ({"latitude": 91.0, "longitude": 0.0}, "latitude"),
        ({"reference": "x" * 129}, "reference"),
        ({"yaw": "left"}, "yaw"),
        ({"acquired_at": "yesterday"}, "acquired_at"),
        ({"shoe_size": 42}, "shoe_size"),
    ],
)
def test_metadata_are_checked(api: LakeApi, metadata: dict[str, object], named: str) -> None:
    """Keys, types, lengths, and latitude only with longitude."""
    answer = api.register("a.jpg", api.upload("a.jpg", _photo()), metadata=metadata)

    assert answer.status_code == 422
    assert named in answer.json()["message"]


def test_metadata_are_replaced_as_given(api: LakeApi) -> None:
    """Also by nothing."""
    data = api.register("a.jpg", api.upload("a.jpg", _photo()), metadata={"yaw": 1}).json()["id"]
    given = {"latitude": 47.5, "longitude": 10.25, "acquired_at": "2026-05-04T07:30:00", "weather": "fair"}

    assert api.call("PATCH", f"/api/data/{data}", json={"metadata": given}).json()["metadata"] == given
    assert api.call("PATCH", f"/api/data/{data}", json={"metadata": None}).json()["metadata"] is None


def test_tags_are_attached_and_detached_as_often_as_one_likes(api: LakeApi) -> None:
    """Twice is once; an unknown data is named and nothing happens."""
    name, [first, second] = _tagged(api, 2)
    tag = api.post(f"/api/datalake/{api.datalake}/tags", {"name": f"more-{name}"}).json()["id"]

    for _ in range(2):
        assert api.post(f"/api/tag/{tag}/attach", [first, second]).json()["count"] == 2
    assert len(api.get(f"/api/data/{first}").json()["tags"]) == 2
    for _ in range(2):
        assert api.post(f"/api/tag/{tag}/detach", [first]).json()["count"] == 1
    assert [tag["name"] for tag in api.get(f"/api/data/{first}").json()["tags"]] == [name]
    unknown = str(uuid4())
    answer = api.post(f"/api/tag/{tag}/attach", [first, unknown])
    assert (answer.status_code, unknown in answer.json()["message"]) == (404, True)
    assert len(api.get(f"/api/data/{first}").json()["tags"]) == 1


def test_names_of_tags_and_sources_are_unique(api: LakeApi) -> None:
    """A second one of a name is a conflict, on creation and on renaming."""
    for path, item in (
        (f"/api/datalake/{api.datalake}/tags", "/api/tag/{}"),
        (f"/api/organization/{api.organization}/datasources", "/api/data/source/{}"),
    ):
        one, other = (api.post(path, {"name": f"{kind}-{uuid4()}"}).json() for kind in ("one", "other"))
        assert api.post(path, {"name": one["name"]}).status_code == 409
        assert api.call("PATCH", item.format(other["id"]), json={"name": one["name"]}).status_code == 409
        renamed = api.call("PATCH", item.format(one["id"]), json={"name": f"new-{uuid4()}"}).json()
        assert api.get(f"{path}/find", params={"name": renamed["name"]}).json()["id"] == one["id"]
        assert api.call("DELETE", item.format(one["id"])).status_code == 204
        assert api.get(item.format(one["id"])).status_code == 404


def test_deleted_data_are_gone_with_their_objects(api: LakeApi) -> None:
    """One by one and many at once; what is gone already is no error for many."""
    _, ids = _tagged(api, 3)
    urls = [api.get(f"/api/data/{each}").json()["presigned_url"] for each in ids]

    assert api.call("DELETE", f"/api/data/{ids[0]}").status_code == 204
    assert api.call("DELETE", f"/api/datalake/{api.datalake}/datas", json={"ids": ids}).status_code == 204

    assert [api.get(f"/api/data/{each}").status_code for each in ids] == [404] * 3
    assert [api.http.get(url, timeout=30).status_code for url in urls] == [404] * 3


@pytest.mark.parametrize("token", [None, "wrong", "\u00fcmlaut"])
def test_a_wrong_token_is_refused_everywhere(api: LakeApi, token: str | None) -> None:
    """With 401, whatever the route."""
    api.http.headers.pop("Authorization")
    if token:
        api.http.headers["Authorization"] = f"Bearer {token}".encode()

    paths = ["/api/home/ping", f"/api/datalake/{api.datalake}/datas", f"/api/v2/job/{uuid4()}"]

    assert [api.get(path).status_code for path in paths] == [401] * 3


def test_what_does_not_exist_is_named(api: LakeApi) -> None:
    """Ids and names stand in the message."""
    unknown = str(uuid4())
    organization = f"/api/organization/{api.organization}"
    for path in (
        f"/api/data/{unknown}",
        f"/api/tag/{unknown}",
        f"/api/data/source/{unknown}",
        f"/api/datalake/{unknown}",
        f"/api/organization/{unknown}",
        f"{organization}/datalake?name={unknown}",
        f"{organization}/datasources/find?name={unknown}",
        f"/api/organizations/find?name={unknown}",
        f"/api/datalake/{api.datalake}/tags/find?name={unknown}",
        f"/api/datalake/{api.datalake}/datas/find?filename={unknown}",
    ):
        answer = api.get(path)
        assert (answer.status_code, unknown in answer.json()["message"]) == (404, True), path


def test_broken_and_large_bodies_are_refused(api: LakeApi) -> None:
    """Broken JSON, wrong types, and more than 10 MiB, announced or not."""
    path = f"/api/datalake/{api.datalake}/tags"
    large = b'{"name": "' + b"x" * (11 << 20) + b'"}'

    assert api.post(path, data=b"{broken").status_code == 422
    assert api.post(path, {"name": 5}).status_code == 422
    assert api.post(path, {"name": "x" * 10_000}).status_code == 422
    assert api.post(path, data=large).status_code == 413
    assert api.post(path, data=iter([large])).status_code == 413
