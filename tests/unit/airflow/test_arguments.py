"""What Airflow hands over as arguments, and what operators make of it."""

import json
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

import pendulum
import pytest
from airflow.sdk import DAG, ObjectStoragePath
from airflow.sdk.definitions.param import DagParam
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lake import arguments
from airflow_provider_lake.arguments import (
    as_json,
    check_constants,
    is_template,
    read_choice,
    read_count,
    read_flag,
    read_ids,
    read_job_ids,
    read_limit,
    read_mapping,
    read_mappings,
    read_names,
    read_optional_count,
    read_optional_seconds,
    read_path,
    read_paths,
    read_required_text,
    read_seconds,
    read_text,
)
from airflow_provider_lake.exceptions import LakeArgumentError, LakePermanentError
from airflow_provider_lake.operators.upload import UploadDataOperator

ID = UUID("6b1a3f7e-3c5d-4e8a-9f10-2b4c6d8e0f12")
OTHER_ID = UUID("00000000-0000-4000-8000-000000000001")


class Lazy(Sequence[Any]):
    """Several things that show nothing of themselves before they are read, as mapped tasks return them."""

    def __init__(self, *items: Any) -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: Any) -> Any:
        return self._items[index]

    def __repr__(self) -> str:
        return "LazyXComSequence(<unevaluated length>)"


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (None, []),
        ("", []),
        ("car", ["car"]),
        (20240506, ["20240506"]),
        (0, ["0"]),
        (0.5, ["0.5"]),
        (date(2024, 5, 6), ["2024-05-06"]),
        (ID, [str(ID)]),
        ([2024, "a"], ["2024", "a"]),
        (("a", "", None, "b", "a"), ["a", "b"]),
        ({"b", "a"}, ["a", "b"]),
        ([["a"], [], [["b"], "c"]], ["a", "b", "c"]),
        (Lazy(["a"], Lazy("b"), None), ["a", "b"]),
        ({"a": 1}.keys(), ["a"]),
        ("[a-b]", ["[a-b]"]),
        ("it's [new]", ["it's [new]"]),
    ],
)
def test_names_are_read_from_whatever_means_some(value: Any, names: list[str]) -> None:
    """One or several, in lists of any kind and depth; what is no text and has an obvious one is that text."""
    assert read_names("tags", value) == names


@pytest.mark.parametrize(
    "value",
    [
        *("['a1', 'b2']", "[]", "()", "{'a': 1}", '["a"]', "[null]", "None", " ['a'] ", "[UUID('x')]", "{'a', 'b'}"),
        *("[PosixPath('a.jpg')]", "LazyXComSequence([3 items])", "[<Label 1>]", "{'a': nan}", "[-1, 2]"),
        ["['b']", "a"],
        [["None"]],
    ],
)
@pytest.mark.parametrize("read", [read_names, read_text, read_ids, read_job_ids, read_paths, read_path])
def test_text_that_a_template_made_of_a_list_is_never_taken_as_a_name(
    read: Callable[[str, Any], object], value: Any
) -> None:
    """The one sentence names the argument, and says how the DAG gets lists."""
    if read in {read_text, read_path} and isinstance(value, list):
        value = value[0] if isinstance(value[0], str) else value[0][0]  # they take no lists at all
    with pytest.raises(LakeArgumentError, match=r"^what must be .* render_template_as_native_obj=True") as caught:
        read("what", value)
    assert "\n" not in str(caught.value)


REFUSED: dict[Callable[[str, Any], object], list[Any]] = {
    read_names: [True, b"a", {"a": 1}, object(), float("nan"), timedelta(1), iter("ab"), "\ud800", Decimal("sNaN")],
    read_text: [["a"], {"a": 1}, False, Lazy("a")],
    read_required_text: [None, "", []],
    read_ids: ["12", 12, [str(ID), "x"], {"data_ids": []}, [None, "no"]],
    read_job_ids: [True, {"status": "DONE"}, [{"job_id": None}], {"jobs": [{}]}, {"jobs": [True]}],
    read_path: [["a.jpg"], True, Path("{{ ds }}"), {"path": "a"}, "", " ", Path(), b"", "a\0b"],
    read_paths: [None, "", ["a.jpg", ""], [["a.jpg", None]], [True], {"path": "a"}, iter(["a"])],
    read_mapping: [
        *("{'a': 1}", "a", [], [{}], 5, {"a": object()}, {True: 1}, {"a": b""}),
        *({"a": float("inf")}, {"a": {"b": [float("nan")]}}, {"a": timedelta(1)}),
    ],
    read_mappings: ["[{'a': 1}]", 5, ["a"], [5]],
    read_seconds: [
        *("1h", "30", None, True, -1, float("nan"), float("inf"), [1], {}),
        *(timedelta(seconds=-1), timedelta.max, 10**400, Decimal("sNaN")),
    ],
    read_count: ["5", 5.0, None, True, -1, [1], "{{ n }}", Decimal(1)],
    read_limit: ["1%", "5", -1, 1.5, -0.1, float("nan"), None, True, [0], Decimal("sNaN")],
    read_flag: ["False", "True", "", None, 2, [], 0.0],
}


@pytest.mark.parametrize(("read", "value"), [(read, value) for read, values in REFUSED.items() for value in values])
def test_what_cannot_be_meant_is_one_sentence_that_names_the_argument(
    read: Callable[[str, Any], object], value: Any
) -> None:
    """It is a ValueError where a DAG is parsed, fails a task for good, and is short whatever was given."""
    with pytest.raises(LakeArgumentError, match=r"^what\b") as caught:
        read("what", value)

    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, LakePermanentError)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 - its own


def test_one_text_is_read_from_what_native_rendering_made_of_it() -> None:
    """A number is the text that it was; nothing is None."""
    assert read_text("source", 20240506) == "20240506"
    assert read_text("source", "cam") == "cam"
    assert read_text("source", "") is None
    assert read_text("source", None) is None
    assert read_text("at", datetime(2024, 5, 6, tzinfo=UTC)) == "2024-05-06 00:00:00+00:00"
    assert read_required_text("processing", 12) == "12"


def test_ids_are_read_in_every_form_that_they_have() -> None:
    """UUIDs, their text in any writing, and lists of lists of them are the same ids, each once."""
    assert read_ids("data_ids", ID) == [str(ID)]
    assert read_ids("data_ids", [ID, [str(ID).upper(), ID.hex], (OTHER_ID,)]) == [str(ID), str(OTHER_ID)]
    assert read_ids("data_ids", Lazy([str(ID)], [str(OTHER_ID)])) == [str(ID), str(OTHER_ID)]
    assert read_ids("data_ids", None) == []


def test_jobs_are_read_from_ids_and_summaries() -> None:
    """Those of operators, of sensors, of mapped tasks, and lists of all of these."""
    one, other = {"job_id": str(ID), "status": "RUNNING"}, {"jobs": [{"job_id": str(OTHER_ID)}]}

    assert read_job_ids("job_id", ID) == [str(ID)]
    assert read_job_ids("job_id", [one, [other, ID], None, ""]) == [str(ID), str(OTHER_ID)]
    assert read_job_ids("job_id", Lazy(one, one)) == [str(ID)]
    assert read_job_ids("job_id", None) == []


def test_paths_are_read_from_all_that_are_paths() -> None:
    """Paths of this machine and of object storages keep their place, and the connection in it."""
    remote = ObjectStoragePath("s3://store@bucket/day")

    assert read_paths("filepaths", Path("a.jpg")) == ["a.jpg"]
    assert read_paths("filepaths", remote) == ["s3://store@bucket/day"]
    assert read_paths("filepaths", ["a.jpg", [Path("b.jpg"), remote], PurePosixPath("c")]) == [
        *("a.jpg", "b.jpg", "s3://store@bucket/day", "c")
    ]
    assert read_paths("filepaths", [20240506, "data:x.jpg", "[a-z]*.jpg", "photo[1].jpg"]) == [
        *("20240506", "data:x.jpg", "[a-z]*.jpg", "photo[1].jpg")
    ]
    assert read_path("target", ObjectStoragePath("s3://bucket/day", conn_id="store")) == "s3://store@bucket/day"
    assert read_path("target", "{stem}") == "{stem}"
    assert read_paths("filepaths", [b"caf\xe9.jpg"]) == [os.fsdecode(b"caf\xe9.jpg")]
    assert read_paths("filepaths", []) == []
    assert read_path("target", None) is None


def test_mappings_hold_what_json_has() -> None:
    """What Airflow's native rendering puts into them becomes text, numbers, lists and mappings."""
    given = {
        "at": datetime(2024, 5, 6, tzinfo=UTC),
        "ids": (ID, Lazy(1, Decimal("0.5"))),
        "names": {"b", "a"},
        "path": Path("a"),
        7: None,
    }

    read = read_mapping("parameters", given)

    assert read == {
        "at": "2024-05-06T00:00:00+00:00",
        "ids": [str(ID), [1, 0.5]],
        "names": ["a", "b"],
        "path": "a",
        "7": None,
    }
    assert read_mapping("parameters", {}) == {}
    assert read_mapping("parameters", None) is None
    assert read_mappings("metadata", [{"a": 1}, None, [{}]]) == [{"a": 1}, {}, {}]
    assert read_mappings("metadata", {"a": 1}) == {"a": 1}


def test_durations_are_seconds_or_what_python_and_airflow_have_for_them() -> None:
    """Also pendulum's; and None where that means never."""
    assert read_seconds("timeout", 30) == 30
    assert read_seconds("timeout", timedelta(minutes=1)) == 60
    assert read_seconds("timeout", pendulum.duration(hours=1)) == 3600
    assert read_seconds("timeout", Decimal("0.5")) == 0.5
    assert read_seconds("timeout", 0) == 0
    assert read_optional_seconds("timeout", None) is None
    with pytest.raises(LakeArgumentError, match="above 0"):
        read_seconds("poll_interval", 0, exclusive_minimum=0)


def test_numbers_flags_and_choices() -> None:
    """Each as itself, within its limits."""
    assert read_count("limit", 5) == 5
    assert read_optional_count("max_workers", None) is None
    assert read_limit("max_failures", 3) == 3
    assert read_limit("max_failures", 1.0) == 1.0
    assert isinstance(read_limit("max_failures", 1.0), float)
    assert read_flag("wait", True) is True
    assert read_flag("wait", 0) is False
    assert read_choice("name_by", "id", ("filename", "id")) == "id"
    with pytest.raises(LakeArgumentError, match=r"^count must be a whole number, from 1 to 5, not 9$"):
        read_count("count", 9, 1, 5)
    with pytest.raises(LakeArgumentError, match=r"^name_by is one of filename, id, not 'x'$"):
        read_choice("name_by", "x", ("filename", "id"))


def test_what_is_not_rendered_yet_is_not_judged() -> None:
    """Templates anywhere in it, outputs of tasks and parameters of the DAG are checked when the task runs."""
    with DAG("checked", schedule=None, params={"tags": ["a"]}) as dag:
        output: Any = UploadDataOperator(task_id="upload", filepaths="a.jpg").output
    later: list[Any] = [
        *("{{ params.tags }}", "{% if a %}{% endif %}", ["a", "{{ ds }}"], {"a": {"b": ("{{ ds }}",)}}),
        *(output, [output["data_ids"]], output.map(str), DagParam(dag, "tags", None)),
    ]

    assert [is_template(value) for value in later] == [True] * len(later)
    check_constants(read_seconds, **{f"argument_{number}": value for number, value in enumerate(later)})
    assert not any(
        map(is_template, ("a", 5, None, ["a"], {"{{ a }}": 1}, Path("{{ ds }}"), ObjectStoragePath("s3://b")))
    )
    with pytest.raises(LakeArgumentError, match=r"^tags"):
        check_constants(read_names, tags=["a", b"b"])


def _values() -> st.SearchStrategy[Any]:
    plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.uuids() | st.dates()
    others = (
        st.timedeltas() | st.decimals() | st.datetimes() | st.complex_numbers() | st.just(Path("a")) | st.functions()
    )
    return st.recursive(
        plain | others,
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner),
        max_leaves=8,
    )


def _readers() -> Iterator[Callable[[str, Any], object]]:
    names = sorted(name for name in vars(arguments) if name.startswith("read_") and name != "read_choice")
    return (getattr(arguments, name) for name in [*names, "as_json"])


@given(value=_values())
def test_whatever_is_given_is_read_or_refused_by_name(value: Any) -> None:
    """No reader ever fails otherwise; and what one returns is JSON, as it then goes to the lake or into an XCom."""
    for read in _readers():
        try:
            json.dumps(read("what", value), allow_nan=False)
        except LakeArgumentError as error:
            assert str(error).startswith("what")  # noqa: PT017 - it may as well be read


@given(value=_values())
def test_what_is_made_json_stays_what_it_is(value: Any) -> None:
    """It comes back equal from JSON, and reading it again changes nothing."""
    try:
        read = as_json("what", value)
    except LakeArgumentError:
        return
    assert as_json("what", json.loads(json.dumps(read))) == read
