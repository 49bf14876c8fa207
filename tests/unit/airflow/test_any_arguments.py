"""Whatever is given as any argument of any operator, sensor or trigger is taken, or refused by name."""

import inspect
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from airflow.sdk import DAG, ObjectStoragePath
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_lake.arguments import read_names
from airflow_provider_lake.assets.lake import lake_asset
from airflow_provider_lake.exceptions import LakeArgumentError
from airflow_provider_lake.ingest.files import chunk_files
from airflow_provider_lake.operators.download import DownloadDataOperator
from airflow_provider_lake.operators.import_bucket import ImportBucketObjectsOperator
from airflow_provider_lake.operators.processing import LaunchProcessingOperator
from airflow_provider_lake.operators.projection import CreateProjectionOperator
from airflow_provider_lake.operators.tag import TagDataOperator
from airflow_provider_lake.operators.update import UpdateDataOperator
from airflow_provider_lake.operators.upload import UploadDataOperator
from airflow_provider_lake.sensors.data import DataSensor
from airflow_provider_lake.sensors.job import JobSensor
from airflow_provider_lake.triggers.data import DataTrigger, LakeDataTrigger
from airflow_provider_lake.triggers.job import JobTrigger

ID = UUID("6b1a3f7e-3c5d-4e8a-9f10-2b4c6d8e0f12")
# With the arguments that each of them cannot do without.
MADE: dict[Any, dict[str, Any]] = {
    UploadDataOperator: {"filepaths": "a.jpg"},
    UpdateDataOperator: {"tags": "a"},
    ImportBucketObjectsOperator: {"prefixes": "a"},
    LaunchProcessingOperator: {"processing": "a"},
    TagDataOperator: {"tags": "a"},
    CreateProjectionOperator: {"projection": "a", "filepath": "{stem}.png"},
    DownloadDataOperator: {"target": "a"},
    DataSensor: {"tags": "a"},
    JobSensor: {"job_id": str(ID)},
    JobTrigger: {"job_id": str(ID)},
    DataTrigger: {"min_count": 1, "query": "a"},
    LakeDataTrigger: {},
}
# What Airflow hands on as it is.
FREE = {(JobTrigger, "details")}
OPERATORS = [kind for kind in MADE if hasattr(kind, "template_fields")]


def _own_arguments(kind: type) -> Iterator[str]:
    """Yield the arguments that this provider gives a class, from all its bases."""
    for base in kind.__mro__:
        if base.__module__.startswith("airflow_provider_lake."):
            own = inspect.signature(base.__init__).parameters.values()  # type: ignore[misc]  # of the class itself
            yield from (each.name for each in own if each.kind is inspect.Parameter.KEYWORD_ONLY)


ARGUMENTS = sorted(
    {(kind, name) for kind in MADE for name in _own_arguments(kind)} - FREE,
    key=lambda pair: (pair[0].__name__, pair[1]),
)


def make(kind: Any, **given: Any) -> Any:
    """Make one of the classes with these arguments and those that it needs."""
    task = {"task_id": "task"} if kind in OPERATORS else {}
    return kind(**task, **(MADE[kind] | given))


def anything() -> st.SearchStrategy[Any]:
    """Return what JSON has, and what Airflow hands over beyond it."""
    others = (
        ID,
        Path("a"),
        ObjectStoragePath("s3://bucket/a"),
        timedelta(seconds=5),
        '["a"]',
        "{'a': 1}",
        "None",
        "1h",
    )
    plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(others)
    return st.recursive(
        plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner), max_leaves=6
    )


def _is_named(error: Exception, name: str) -> bool:
    return str(error).startswith(name) and "\n" not in str(error)


def test_all_arguments_are_known() -> None:
    """The tests below draw from them."""
    assert (DataSensor, "poke_interval") in ARGUMENTS
    assert (LaunchProcessingOperator, "outage_budget") in ARGUMENTS
    assert (UploadDataOperator, "max_failures") in ARGUMENTS
    assert len(ARGUMENTS) > 100


@settings(max_examples=500, deadline=None)
@given(argument=st.sampled_from(ARGUMENTS), value=anything())
def test_a_constant_is_taken_or_refused_where_a_dag_is_parsed(argument: tuple[Any, str], value: Any) -> None:
    """A refusal is a ValueError of one line that begins with the argument's name."""
    kind, name = argument
    try:
        made = make(kind, **{name: value})
    except LakeArgumentError as error:
        assert _is_named(error, name)  # noqa: PT017 - it may as well be taken
        return
    if kind in OPERATORS and name in kind.template_fields:
        # As Airflow wants it: what is rendered later stays as it was given.
        assert getattr(made, name) is value
    if kind not in OPERATORS:
        made.serialize()


def test_templates_and_outputs_are_let_pass_where_they_are_rendered() -> None:
    """And refused elsewhere: Airflow would hand them on as they are."""
    with DAG("dag", schedule=None):
        output: Any = UploadDataOperator(task_id="upload", filepaths="a.jpg").output
        later = ("{{ params.value }}", output, [output["data_ids"]], {"a": "{{ ds }}"})
        for number, (kind, name) in enumerate(pair for pair in ARGUMENTS if pair[0] in OPERATORS):
            for task_id, value in ((f"task-{number}-{place}", value) for place, value in enumerate(later)):
                if name in kind.template_fields:
                    kind(task_id=task_id, **(MADE[kind] | {name: value}))
                else:
                    with pytest.raises(LakeArgumentError, match=f"^{name}"):
                        kind(task_id=task_id, **(MADE[kind] | {name: value}))


@settings(deadline=None)
@given(value=anything())
def test_assets_and_chunks_take_or_refuse_what_they_are_given(value: Any) -> None:
    """As operators do."""
    for name in ("host", "datalake", "tag"):
        try:
            lake_asset(**({"host": "h", "datalake": "d"} | {name: value}))
        except LakeArgumentError as error:
            assert str(error).startswith(name)  # noqa: PT017 - it may as well be taken
        except ValueError as error:
            assert "lake" in str(error) or "host" in str(error)  # noqa: PT017 - likewise
    for name in ("chunk_size", "max_bytes"):
        try:
            chunk_files([__file__], **{name: value})
        except LakeArgumentError as error:
            assert str(error).startswith(name)  # noqa: PT017 - it may as well be taken


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tags", ["a1", "b2"]),
        ("data_ids", [str(ID)]),
        ("summary", {"datalake": "default", "uploaded": 1, "data_ids": [str(ID)]}),
        ("attach", ["a1"]),
        ("query", None),
    ],
)
def test_what_a_template_makes_of_a_list_is_refused_and_of_a_native_one_taken(name: str, value: Any) -> None:
    """As Airflow itself renders both; the refusal says which switch of the DAG is meant."""
    for is_native in (False, True):
        with DAG("dag", schedule=None, render_template_as_native_obj=is_native):
            task: Any = TagDataOperator(task_id="tag", **({"attach": "a"} | {name: "{{ params.value }}"}))
        task.render_template_fields({"params": {"value": value}})
        if is_native:
            assert _read(task)
        else:
            with pytest.raises(LakeArgumentError, match=rf"^{name} .*render_template_as_native_obj=True"):
                _read(task)


def _read(task: TagDataOperator) -> tuple[Any, ...]:
    return read_names("attach", task.attach), task.selection
