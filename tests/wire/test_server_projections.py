"""Projections, and changes of many data at once."""

from uuid import uuid4

from tests.lake_process import LakeProcess
from tests.wire.lake_api import LakeApi


def _data(api: LakeApi) -> str:
    return str(api.register("a.mp4", api.upload("a.mp4", b"film"), type="VIDEO").json()["id"])


def _projection(object_name: str) -> dict[str, object]:
    return {"name": "view", "object_name": object_name, "filename": "v.png", "content_type": "image/png"}


def test_a_projection_is_made_once_listed_read_and_deleted(api: LakeApi, lake: LakeProcess) -> None:
    """Made again after a lost answer, it is the same one; its object goes with it."""
    data, stored = _data(api), api.upload("v.png", b"seen from above")
    body = _projection(stored) | {"width": 4, "height": 3, "additional_info": {"angle": 45}}

    first = api.post(f"/api/data/{data}/projections", body)
    again = api.post(f"/api/data/{data}/projections", body)

    made = first.json()
    assert (first.status_code, again.status_code, again.json()["id"]) == (201, 208, made["id"])
    assert (made["infos"], made["file_size"], made["compute_status"]) == ({"angle": 45}, 15, "DONE")
    assert [each["id"] for each in api.get(f"/api/data/{data}/projections").json()["items"]] == [made["id"]]
    path = f"/api/data/projection/{made['id']}"
    assert api.get(path).json()["filename"] == "v.png"
    url = api.get(f"{path}/presigned-url").json()["presigned_url"]
    assert api.http.get(url, timeout=30).content == b"seen from above"

    assert api.call("DELETE", path).status_code == 204
    assert api.get(path).status_code == 404
    assert not (lake.objects / stored).exists()


def test_a_projection_needs_a_data_and_an_object(api: LakeApi) -> None:
    """What is missing is named."""
    unknown = str(uuid4())
    absent = api.post(f"/api/data/{_data(api)}/projections", _projection("never/uploaded.png"))
    homeless = api.post(f"/api/data/{unknown}/projections", _projection("never/uploaded.png"))

    assert (absent.status_code, "never/uploaded.png" in absent.json()["message"]) == (400, True)
    assert (homeless.status_code, unknown in homeless.json()["message"]) == (404, True)


def test_deleting_a_data_deletes_what_only_its_projections_show(api: LakeApi, lake: LakeProcess) -> None:
    """An object that another data's projection shows too stays until that one goes."""
    first, second = _data(api), _data(api)
    shared, own = api.upload("shared.png", b"shared"), api.upload("own.png", b"own")
    api.post(f"/api/data/{first}/projections", _projection(shared))
    api.post(f"/api/data/{first}/projections", _projection(own))
    api.post(f"/api/data/{second}/projections", _projection(shared))

    api.call("DELETE", f"/api/data/{first}")
    assert [(lake.objects / name).exists() for name in (shared, own)] == [True, False]
    api.call("DELETE", f"/api/datalake/{api.datalake}/datas", json={"ids": [second]})
    assert not (lake.objects / shared).exists()


def test_many_data_are_changed_at_once(api: LakeApi) -> None:
    """Tags and sources are made when missing, tags are added, and what is None stays."""
    first, second = _data(api), _data(api)
    tag, source = f"tag-{uuid4()}", f"source-{uuid4()}"
    path = f"/api/datalake/{api.datalake}/data/bulk"
    full = {"metadata": {"reference": "r"}, "custom_metadata": {"k": 1}, "tags": [tag], "data_source": source}
    nothing = {"metadata": None, "custom_metadata": None, "tags": None, "data_source": None}

    assert api.call("PATCH", path, json={"objects": {first: full, second: {"tags": [tag]}}}).json() == {"count": 2}
    api.call("PATCH", path, json={"objects": {first: nothing, second: {"tags": [tag, f"{tag}-2"]}}})

    changed, other = api.get(f"/api/data/{first}").json(), api.get(f"/api/data/{second}").json()
    assert changed["metadata"] == {"reference": "r"}
    assert changed["custom_metadata"] == {"k": 1}
    assert (changed["tags"][0]["name"], changed["data_source"]["name"]) == (tag, source)
    assert [each["name"] for each in other["tags"]] == [tag, f"{tag}-2"]
    assert (other["metadata"], other["data_source"]) == (None, None)


def test_many_data_are_changed_all_or_none(api: LakeApi) -> None:
    """One unknown data, and nothing happens to the others; more than 100 are refused."""
    known, unknown, path = _data(api), str(uuid4()), f"/api/datalake/{api.datalake}/data/bulk"
    change = {"custom_metadata": {"changed": True}}

    answer = api.call("PATCH", path, json={"objects": {known: change, unknown: change}})
    many = api.call("PATCH", path, json={"objects": {str(uuid4()): change for _ in range(101)}})

    assert (answer.status_code, unknown in answer.json()["message"], many.status_code) == (404, True, 422)
    assert api.get(f"/api/data/{known}").json()["custom_metadata"] is None
