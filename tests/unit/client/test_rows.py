"""Pages of data become the same records by the fast way and by the long one."""

import json
from dataclasses import fields
from typing import Any
from uuid import UUID

import pytest

from airflow_provider_lake.client import UnexpectedResponseError
from airflow_provider_lake.client.listing.rows import RowReader, decode_page
from airflow_provider_lake.client.resources.data import Data
from airflow_provider_lake.client.transport.retry import RetryPolicy
from airflow_provider_lake.client.transport.session import Session, make_transport

SESSION = Session("http://lake", None, make_transport(1, verify=True), RetryPolicy())
DATALAKE_ID = UUID(int=1)
TAG = {"id": str(UUID(int=2)), "name": "car", "target_type": "DATA"}
ROW = {
    "id": "0190e0b1-0000-7000-8000-00000000abcd",
    "object_name": "data/a.jpg",
    "filename": "a.jpg",
    "type": "IMAGE",
    "content_type": "image/jpeg",
    "upload_status": "DONE",
}
FULL = ROW | {
    "upload_error": None,
    "meta": {"width": 160, "height": 120},
    "metadata": {"latitude": 1.5, "tags": [1, None]},
    "custom_metadata": {"city": "Köln"},
    "tags": [TAG],
    "data_source": {"id": str(UUID(int=3)), "name": "camera"},
    "file_size": 19000,
    "created_at": "2026-11-24T10:00:00.123456+00:00",
    "presigned_url": "http://storage/a.jpg?signature=s",
}
SHAPES: dict[str, dict[str, Any]] = {
    "everything": FULL,
    "only what must be": ROW,
    "null": ROW | dict.fromkeys(set(FULL) - set(ROW)),
    "unknown fields": FULL | {"more": {"a": [1]}, "meta": {"width": 1, "depth": 3}, "tags": [TAG | {"color": "red"}]},
    "no size": ROW | {"meta": {"width": 0, "height": None}},
    "an unknown status": ROW | {"upload_status": "FROZEN"},
    "a moment without zone": ROW | {"created_at": "2026-11-24T10:00:00"},
    "a moment in another zone": ROW | {"created_at": "2026-11-24T10:00:00.5+02:00"},
    "a moment as few write it": ROW | {"created_at": "2026-W48-2"},
    "an id without hyphens": ROW | {"id": ROW["id"].replace("-", "")},
    "a size that is no whole number": ROW | {"file_size": 1.5, "meta": {"width": 10.0, "height": "120"}},
    "a size of any length": ROW | {"file_size": 10**30},
    "other types of text": ROW | {"filename": None, "upload_error": {"code": 1}},
    "half a character": ROW | {"filename": "\ud800.jpg"},
    "not a number": ROW | {"metadata": {"altitude": float("inf")}},
}


def _read(*rows: dict[str, Any], **more: Any) -> Any:
    body = json.dumps({"items": rows, **more}).encode()
    return RowReader(SESSION, DATALAKE_ID).read(decode_page(body))


def _values(data: Data) -> list[Any]:
    return [getattr(data, each.name) for each in fields(data)]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_a_data_is_read_alike(shape: str) -> None:
    """Whatever a lake sends, a list holds the record that reading the data alone gives."""
    alone = Data.from_json(SESSION, DATALAKE_ID, SHAPES[shape])
    (listed,) = _read(SHAPES[shape])["items"]

    assert _values(listed) == _values(alone)
    assert repr(listed) == repr(alone)
    assert [type(value) for value in _values(listed)] == [type(value) for value in _values(alone)]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"id": "none"}, "data in an unknown way"),
        ({"id": None}, "data in an unknown way"),
        ({"created_at": "yesterday"}, "data in an unknown way"),
        ({"tags": [{"id": str(UUID(int=2)), "name": "car"}]}, "tag without 'target_type'"),
        ({"tags": [TAG | {"id": "none"}]}, "tag in an unknown way"),
        ({"tags": 5}, "data in an unknown way"),
        ({"meta": "wide"}, "data in an unknown way"),
    ],
)
def test_what_is_no_data_is_an_error(broken: dict[str, Any], reason: str) -> None:
    """Of the client's own, and the same of a data that is read alone."""
    for read in (lambda row: Data.from_json(SESSION, DATALAKE_ID, row), _read):
        with pytest.raises(UnexpectedResponseError, match=f"the lake describes a (page|{reason})"):
            read(ROW | broken)
    with pytest.raises(UnexpectedResponseError, match="a data without 'filename'"):
        _read({name: value for name, value in ROW.items() if name != "filename"})


def test_a_page_says_how_it_goes_on() -> None:
    """Count and cursor stand beside the records, whichever way these were read."""
    for row in (FULL, SHAPES["half a character"]):
        page = _read(row, count=7, next_cursor="c")

        assert (page.get("count", 0), page.get("next_cursor")) == (7, "c")
    assert _read(FULL).get("count", 0) == 0
    assert _read(FULL).get("next_cursor") is None


def test_data_share_what_they_have_in_common() -> None:
    """A tag that a thousand data carry is in memory once; one of another name is not mixed up with it."""
    first, second, third = _read(FULL, FULL, FULL | {"tags": [TAG | {"name": "bus"}]})["items"]

    assert first.tags is second.tags
    assert first.data_source is second.data_source is third.data_source
    assert [tag.name for tag in (*first.tags, *third.tags)] == ["car", "bus"]
