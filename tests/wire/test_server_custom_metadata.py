"""Custom metadata schemas: kept, and held wherever custom metadata is written."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.wire.lake_api import LakeApi


@pytest.fixture
def schema(api: LakeApi) -> Iterator[str]:
    """Return the path of the schema; afterwards it is empty again."""
    path = f"/api/datalake/{api.datalake}/custom-metadata"
    yield path
    for key in api.get(path).json()["custom_metadata_schema"] or ():
        api.call("DELETE", f"{path}/keys/{quote(key, safe='')}")
    api.call("PATCH", path, json={"allow_extra_custom_metadata": True})


def _put(api: LakeApi, schema: str, key: str, **definition: Any) -> requests.Response:
    return api.post(f"{schema}/keys/{quote(key, safe='')}", {"required": False} | definition)


def _create(api: LakeApi, custom_metadata: object) -> requests.Response:
    return api.register("a.mp4", api.upload("a.mp4", b"film"), type="VIDEO", custom_metadata=custom_metadata)


def test_a_schema_is_put_together_key_by_key(api: LakeApi, schema: str) -> None:
    """Put again, a key is replaced; a key may have any characters."""
    assert api.get(schema).json()["custom_metadata_schema"] is None
    _put(api, schema, "side/ü", input_type="STRING", choices=["left", "right"])
    _put(api, schema, "count", input_type="STRING")
    answer = _put(api, schema, "count", input_type="INTEGER", min=0, display_name="Count")
    api.call("PATCH", schema, json={"allow_extra_custom_metadata": False})

    count = {"input_type": "INTEGER", "required": False, "archived": False, "min": 0, "display_name": "Count"}
    side = {"input_type": "STRING", "required": False, "archived": False, "choices": ["left", "right"]}
    assert answer.json() == count
    kept = api.get(schema).json()
    assert kept["custom_metadata_schema"] == {"count": count, "side/ü": side}
    assert kept["allow_extra_custom_metadata"] is False
    assert api.call("DELETE", f"{schema}/keys/count").status_code == 204
    assert list(api.get(schema).json()["custom_metadata_schema"]) == ["side/ü"]
    assert api.call("DELETE", f"{schema}/keys/count").status_code == 404


@pytest.mark.parametrize(
    "definition",
    [
        {"input_type": "COLOUR"},
        {"input_type": "STRING", "choices": ["one"]},
        {"input_type": "STRING", "min": "a"},
        {"input_type": "STRING", "allow_multiple": True},
        {"input_type": "BOOLEAN", "choices": [True, False]},
        {"input_type": "INTEGER", "choices": [1, "two"]},
        {"input_type": "INTEGER", "choices": [1, 2], "min": 0},
        {"input_type": "INTEGER", "choices": list(range(65))},
        {"input_type": "FLOAT", "min": 2, "max": 1},
        {"input_type": "DATETIME", "min": "2026-01-01T00:00:00"},
        {"input_type": "INTEGER", "required": True, "archived": True},
        {"input_type": "INTEGER", "colour": "red"},
    ],
)
def test_a_definition_that_contradicts_itself_is_refused(api: LakeApi, schema: str, definition: dict[str, Any]) -> None:
    """And nothing is kept."""
    assert _put(api, schema, "key", **definition).status_code == 422
    assert api.get(schema).json()["custom_metadata_schema"] is None


@pytest.mark.parametrize(
    ("definition", "good", "bad", "expected"),
    [
        ({"input_type": "STRING"}, ["", "text"], [5, True, ["text"]], "a text"),
        ({"input_type": "STRING", "choices": ["a", "b"]}, ["a"], ["c", ["a"]], 'one of "a", "b"'),
        (
            {"input_type": "INTEGER", "choices": [1, 2], "allow_multiple": True},
            [[1], [2, 1], []],
            [1, [3], [True]],
            "a list out of 1, 2",
        ),
        (
            {"input_type": "INTEGER", "min": -1, "max": 5},
            [-1, 0, 5],
            [6, -2, 1.5, "1", True],
            "an integer from -1 to 5",
        ),
        ({"input_type": "FLOAT", "max": 1.0}, [1, 0.5], [1.01, "0.5", False], "a number to 1.0"),
        ({"input_type": "BOOLEAN"}, [True, False], [0, "true"], "true or false"),
        (
            {"input_type": "DATETIME", "min": "2026-01-01T00:00:00Z"},
            ["2026-01-01T01:00:00+01:00"],
            ["2025-12-31T23:59:59Z", "2026-06-01T00:00:00", 1_800_000_000, "soon"],
            "an ISO 8601 time with a time zone from 2026-01-01T00:00:00Z",
        ),
    ],
)
def test_values_are_held_to_their_type_choices_and_bounds(
    api: LakeApi, schema: str, definition: dict[str, Any], good: list[object], bad: list[object], expected: str
) -> None:
    """The message names the key and what was expected."""
    _put(api, schema, "key", **definition)
    data = _create(api, {"other": 1}).json()["id"]

    for value in good:
        answer = api.call("PATCH", f"/api/data/{data}/custom-metadata", json={"custom_metadata": {"key": value}})
        assert answer.json()["custom_metadata"] == {"key": value}
    for value in bad:
        answer = api.call("PATCH", f"/api/data/{data}/custom-metadata", json={"custom_metadata": {"key": value}})
        assert (answer.status_code, f'"key": expected {expected}' in answer.json()["message"]) == (400, True)


def test_the_schema_is_held_wherever_custom_metadata_is_written(api: LakeApi, schema: str) -> None:
    """Creating, changing one and many, importing: a required key must be there, and others only where allowed."""
    good = {"camera": "front"}
    data = _create(api, good).json()["id"]
    _put(api, schema, "camera", input_type="STRING", required=True)
    api.call("PATCH", schema, json={"allow_extra_custom_metadata": False})

    for wrong in (None, {}, {"camera": None}, good | {"speed": 5}):
        bulk, objects = {data: {"custom_metadata": wrong}}, {"cams/x.mp4": {"custom_metadata": wrong}}
        answers = [
            _create(api, wrong),
            api.call("PATCH", f"/api/data/{data}/custom-metadata", json={"custom_metadata": wrong}),
            api.post(f"/api/datalake/{api.datalake}/objects", {"objects": objects}),
        ]
        if wrong is not None:  # in a change of many, None leaves what is there
            answers.append(api.call("PATCH", f"/api/datalake/{api.datalake}/data/bulk", json={"objects": bulk}))
        named = "speed" if wrong and "speed" in wrong else "camera"
        assert [answer.status_code for answer in answers] == [400] * len(answers)
        assert all(named in answer.json()["message"] for answer in answers)

    by_prefix = api.post(f"/api/datalake/{api.datalake}/objects", {"prefixes": ["cams/"]})
    assert by_prefix.status_code == 400
    assert '"camera" of "what lies under a prefix"' in by_prefix.json()["message"]
    assert api.get(f"/api/data/{data}").json()["custom_metadata"] == good
    assert _create(api, good).status_code == 201
    assert api.post(f"/api/datalake/{api.datalake}/objects", {"objects": {"x.mp4": {"custom_metadata": good}}}).ok


def test_an_archived_key_is_not_looked_at(api: LakeApi, schema: str) -> None:
    """But it is no extra key either."""
    _put(api, schema, "old", input_type="INTEGER", archived=True)
    api.call("PATCH", schema, json={"allow_extra_custom_metadata": False})

    assert [_create(api, value).status_code for value in ({}, {"old": "words"}, {"new": 1})] == [201, 201, 400]
