"""One thing where a list of them is asked for is that thing, never its letters."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lake.client import Client, Data, Datalake, MultiData, Tag, UsageError
from airflow_provider_lake.client.arguments import read_list, read_number, read_seconds, read_value, read_workers
from airflow_provider_lake.client.listing.selection import Selection, make_selection
from airflow_provider_lake.client.resources.base import parse_id
from airflow_provider_lake.client.resources.imports import Imports

# Called as no type checker would let them be.
make_client: Any = Client
make_multi_data: Any = MultiData
make_tag: Any = Tag
read_id: Any = parse_id
ID = UUID("6b1a3f7e-3c5d-4e8a-9f10-2b4c6d8e0f12")


def _letters() -> Iterator[str]:
    yield from ("a", "b")


def _selected(**asked: Any) -> Selection:
    names = ("limit", "offset", "order_by", "tags", "filenames", "intersect_tags", "object_names", "q", "ids")
    nothing: dict[str, Any] = dict.fromkeys((*names, "custom_metadata"))
    return make_selection(**(nothing | asked))


class _Session:
    """Keeps what would be asked."""

    supports_check_files = True
    organization_id = ID
    connector_id = ID

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def request(self, *_what: Any, json: Any = None, **_how: Any) -> dict[str, Any]:
        """Keep the body, and answer with a job."""
        self.asked.append(json)
        return {"id": str(ID), "job": {"id": str(ID), "status": "PENDING"}, "name": "n", "target_type": "DATA"}


def _datalake() -> Any:
    return Datalake(ID, _Session(), "lake", ID)  # type: ignore[arg-type]  # what it asks is looked at, not sent


@pytest.mark.parametrize("name", ["order_by", "filenames", "object_names", "tags"])
def test_a_selection_takes_one_text_as_itself(name: str) -> None:
    """Alone, in a list, a tuple, a set, or from a generator that can be read once."""
    assert list(getattr(_selected(**{name: "cameras"}), name)) == ["cameras"]
    assert list(getattr(_selected(**{name: {"cameras"}}), name)) == ["cameras"]
    assert list(getattr(_selected(**{name: _letters()}), name)) == ["a", "b"]


@given(value=st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=3))
def test_a_selection_takes_or_refuses_what_it_is_given(value: Any) -> None:
    """By the name of what is wrong."""
    for name in ("limit", "offset", "order_by", "tags", "filenames", "object_names", "q", "ids", "custom_metadata"):
        try:
            assert str(_selected(**{name: value}))
        except UsageError as error:
            assert name in str(error) or "is no id" in str(error)  # noqa: PT017 - it may as well be taken


def test_imports_take_one_prefix_as_itself() -> None:
    """The letters of a prefix would bring in other people's objects."""
    datalake = _datalake()

    datalake.import_bucket_objects("cameras")
    datalake.import_bucket_objects({"cameras"})
    datalake.import_bucket_objects([""])

    assert [body["prefixes"] for body in datalake.session.asked] == [["cameras"], ["cameras"], [""]]
    for empty in (list[str](), ""):
        with pytest.raises(UsageError, match="no prefix given"):
            datalake.import_bucket_objects(empty)
    assert len(datalake.session.asked) == 3


@pytest.mark.parametrize(
    "call",
    [
        lambda lake: lake.import_bucket_objects(5),
        lambda lake: lake.import_bucket_objects([1]),
        lambda lake: lake.import_bucket_objects(["a"], tags=5),
        lambda lake: lake.import_bucket_objects(["a"], source=5),
        lambda lake: lake.import_cloud_objects("a.jpg"),
        lambda lake: lake.import_cloud_objects(["a.jpg"]),
        lambda lake: lake.import_cloud_objects({"a.jpg": "b"}),
        lambda lake: lake.import_cloud_projections({"a.jpg": "b"}),
        lambda lake: lake.update_multiple_data("a"),
        lambda lake: lake.update_multiple_data({"a": {}}),
        lambda lake: lake.update_multiple_data({ID: "a"}),
        lambda lake: lake.launch_processing("tagging", [ID]),
        lambda lake: lake.launch_processing(SimpleNamespace(target="DATALAKE"), [5]),
        lambda lake: lake.create_projection(ID, "mask", "a.png"),
        lambda lake: lake.reserve_object_names(5),
        lambda lake: lake.reserve_object_names(["a"], max_workers=-1),
        lambda lake: lake.upload_data(5),
        lambda lake: lake.upload_data(b"a.jpg"),
        lambda lake: lake.upload_data("a.jpg", max_workers="2"),
        lambda lake: lake.upload_data(["a.jpg"], metadata="{'a': 1}"),
        lambda lake: lake.upload_data(["a.jpg"], tags=[5]),
        lambda lake: lake.list_data_tags(limit="5"),
        lambda _: make_multi_data("a"),
        lambda _: make_multi_data([ID]),
        lambda _: make_multi_data().add_tags("gate"),
        lambda _: make_multi_data().download(max_workers=-1),
        lambda lake: make_tag(ID, lake.session, "t", "DATA").attach_on("a"),
        lambda lake: make_tag(ID, lake.session, "t", "DATA").attach_on([ID]),
        lambda _: read_id(5),
    ],
)
def test_what_cannot_be_meant_is_an_error_of_the_client(call: Callable[[Any], Any]) -> None:
    """Before anything is asked of the lake."""
    datalake = _datalake()

    with pytest.raises(UsageError):
        call(datalake)

    assert not [body for body in datalake.session.asked if body and "name" not in body]


def test_one_text_of_what_data_get_is_one_tag() -> None:
    """As everywhere else."""
    datalake = _datalake()

    Imports(datalake.session, ID).import_objects({"a.jpg": {"tags": "gate"}})
    datalake.update_multiple_data({str(ID): {"tags": "gate"}})

    imported, updated = datalake.session.asked
    assert imported["objects"]["a.jpg"]["tags"] == updated["objects"][str(ID)]["tags"] == ["gate"]


def test_no_workers_are_the_usual_ones() -> None:
    """As to the published client."""
    assert read_workers(0) is None
    assert read_workers(None) is None
    assert read_workers(3) == 3


def test_numbers_and_durations() -> None:
    """In whatever form they are meant."""
    assert read_seconds("time", timedelta(seconds=2)) == 2
    assert read_seconds("time", 0.5) == 0.5
    assert read_number("attempts", 0) == 0
    assert read_list("paths", Path("a"), str, Path) == [Path("a")]
    for wrong in ("1h", -1, True, None, float("nan")):
        with pytest.raises(UsageError, match=r"^time must be seconds"):
            read_seconds("time", wrong)
    for wrong in ("5", -1, True, 1.5, None):
        with pytest.raises(UsageError, match=r"^attempts must be a whole number"):
            read_number("attempts", wrong)
    with pytest.raises(UsageError, match=r"^data must be Data, not 5$"):
        read_value("data", 5, Data)


@pytest.mark.parametrize(
    "host",
    [
        5,
        b"http://h",
        "",
        "h",
        "http://",
        "http:// ",
        "http://h\n.example",
        "http://h:x",
        "http://[::1",
        "https://h?a=1",
    ],
)
def test_a_host_that_is_none_is_refused_before_the_token_goes_anywhere(host: object) -> None:
    """None of it is passed over, as what reads URLs does with line breaks."""
    with pytest.raises(UsageError, match=r"^host "):
        make_client("token", host=host)
