"""Pages of data along what a query asks for, and how many data there are."""

from typing import Any
from uuid import uuid4

import pytest

from tests.wire.job_calls import photo
from tests.wire.lake_api import LakeApi


def _data(api: LakeApi, **fields: object) -> str:
    """Register a photo; return its id."""
    return str(api.register("a.jpg", api.upload("a.jpg", photo()), **fields).json()["id"])


def _tag(api: LakeApi) -> tuple[str, str]:
    """Make a tag; return its name and its id."""
    tag = api.post(f"/api/datalake/{api.datalake}/tags", {"name": f"tag-{uuid4()}"}).json()
    return tag["name"], tag["id"]


def _page(api: LakeApi, **arguments: str) -> dict[str, Any]:
    page: dict[str, Any] = api.get(f"/api/datalake/{api.datalake}/datas", params=arguments).json()
    return page


def _walk(api: LakeApi, q: str) -> list[str]:
    """Return the ids of all pages of two, and make sure that each page counts all of them."""
    page = _page(api, q=q, limit="2")
    count, seen = page["count"], [item["id"] for item in page["items"]]
    while page["next_cursor"]:
        page = _page(api, q=q, limit="2", cursor=page["next_cursor"])
        assert page["count"] == count
        seen += [item["id"] for item in page["items"]]
    assert count == len(seen)
    return seen


def test_data_of_any_of_several_tags_are_each_listed_once(api: LakeApi) -> None:
    """In the order of their creation, also those that have both tags; a tag that nobody made changes nothing."""
    (first_name, first), (second_name, second) = _tag(api), _tag(api)
    linked = [[first], [second], [], [first, second], [second], [first]]
    ids = [_data(api, tags=tags) for tags in linked]

    seen = _walk(api, f'tags.name in ("{first_name}", "{second_name}", "never-made-{uuid4()}")')

    assert seen == [data_id for data_id, tags in zip(ids, linked, strict=True) if tags]


def test_a_tag_is_combined_with_other_conditions(api: LakeApi) -> None:
    """Another tag, a source that is missing, metadata."""
    (first_name, first), (second_name, second) = _tag(api), _tag(api)
    both = [_data(api, tags=[first, second], metadata={"reference": f"r{number % 2}"}) for number in range(4)]
    _data(api, tags=[first])

    query = f'tags.name = "{first_name}" and tags.name = "{second_name}"'
    assert _walk(api, query) == both
    assert _walk(api, f'{query} and metadata.reference = "r1" and data_source.name = None') == both[1::2]
    assert _walk(api, f'{query} and not metadata.reference = "r1"') == both[0::2]


@pytest.mark.parametrize("key", ["reference", "custom_id", "manufacturer", "weather"])
def test_data_of_one_metadata_value_are_listed(api: LakeApi, key: str) -> None:
    """Just those that have exactly this text under this key."""
    value = f"O'Neill \"{uuid4()}"
    others: list[dict[str, str] | None] = [{key: value.upper()}, {key: f"{value} "}, {"brand": value}, None]
    ids = [_data(api, metadata={key: value}) for _ in range(3)]
    for metadata in others:
        _data(api, metadata=metadata)

    assert _walk(api, f"metadata.{key} = {_quoted(value)}") == ids


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


def test_the_count_follows_every_write(api: LakeApi) -> None:
    """However a data comes to be among those that are asked for, or ceases to be: the next page tells."""
    name, tag = _tag(api)
    reference = str(uuid4())
    tagged, referred = f'tags.name = "{name}"', f'metadata.reference = "{reference}"'
    counts: list[tuple[int, int]] = []

    def count() -> None:
        counts.append((_page(api, q=tagged, limit="1")["count"], _page(api, q=referred, limit="1")["count"]))

    count()
    data_id = _data(api, tags=[tag])
    count()
    api.call("PATCH", f"/api/data/{data_id}", json={"metadata": {"reference": reference}})
    count()
    api.post(f"/api/tag/{tag}/detach", [data_id])
    count()
    change = {"metadata": {"reference": "another"}, "custom_metadata": None, "tags": [name], "data_source": None}
    body = {"datalake_id": api.datalake, "objects": {data_id: change}}
    api.call("PATCH", f"/api/datalake/{api.datalake}/data/bulk", json=body)
    count()
    api.call("PATCH", f"/api/tag/{tag}", json={"name": f"renamed-{uuid4()}"})
    count()
    api.call("PATCH", f"/api/tag/{tag}", json={"name": name})
    api.call("DELETE", f"/api/data/{data_id}")
    count()

    assert counts == [(0, 0), (1, 0), (1, 1), (0, 1), (1, 0), (0, 0), (0, 0)]


def test_tags_of_a_listed_data_come_by_name(api: LakeApi) -> None:
    """As those of a single data do, and with everything else alike."""
    source = api.post(f"/api/organization/{api.organization}/datasources", {"name": f"cam-{uuid4()}"}).json()
    tags = sorted(_tag(api) for _ in range(3))
    described = {"custom_metadata": {"é": [1, 2.5, None, True]}, "metadata": {"latitude": 1.5, "longitude": -2.0}}
    data_id = _data(api, tags=[tag for _, tag in reversed(tags)], data_source_id=source["id"], **described)

    alone = api.get(f"/api/data/{data_id}").json()
    [listed] = _page(api, q=f'id = "{data_id}"')["items"]

    changing = {"presigned_url", "upload_status", "meta"}
    assert {key: value for key, value in listed.items() if key not in changing} == {
        key: value for key, value in alone.items() if key not in changing
    }
    assert [tag["name"] for tag in listed["tags"]] == [name for name, _ in tags]
    assert (listed["custom_metadata"], listed["metadata"]) == (described["custom_metadata"], described["metadata"])
