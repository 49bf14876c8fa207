"""Whatever a template or an output renders to, a task takes it, or fails for good with one sentence that says why."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException
from airflow.sdk import ObjectStoragePath
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.exceptions import LakeArgumentError, LakePermanentError, LakeUploadError
from airflow_provider_lake.operators.download import DownloadDataOperator
from airflow_provider_lake.operators.import_bucket import ImportBucketObjectsOperator
from airflow_provider_lake.operators.processing import LaunchProcessingOperator
from airflow_provider_lake.operators.projection import CreateProjectionOperator
from airflow_provider_lake.operators.tag import TagDataOperator
from airflow_provider_lake.operators.update import UpdateDataOperator
from airflow_provider_lake.operators.upload import UploadDataOperator
from airflow_provider_lake.sensors.data import DataSensor
from airflow_provider_lake.sensors.job import JobSensor
from tests.lake_process import LakeProcess

TAG = "any-arguments"
ID = UUID("6b1a3f7e-3c5d-4e8a-9f10-2b4c6d8e0f12")
STARTED: dict[str, Any] = {"wait_for_completion": False, "deferrable": False}
SELECTED: dict[str, Any] = {"tags": TAG}
KINDS: dict[Any, dict[str, Any]] = {
    UploadDataOperator: {"tags": TAG, "max_failures": 1.0},
    UpdateDataOperator: {**SELECTED, "custom_metadata": {"a": 1}},
    ImportBucketObjectsOperator: {"prefixes": "none", **STARTED},
    LaunchProcessingOperator: {**SELECTED, "processing": "data auto tagging", **STARTED},
    TagDataOperator: {**SELECTED, "attach": TAG},
    CreateProjectionOperator: {**SELECTED, "projection": "mask", "skip_missing": True},
    DownloadDataOperator: SELECTED,
    DataSensor: SELECTED,
    JobSensor: {"deferrable": False},
}
ARGUMENTS = [(kind, name) for kind in KINDS for name in kind.template_fields if name != "lake_conn_id"]
# What a task may come to besides success: not one of Python's own errors.
OUTCOMES = (LakePermanentError, LakeUploadError, AirflowSkipException, FileNotFoundError)


@pytest.fixture(scope="module")
def photo(lake: LakeProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Upload a photo, and return its path."""
    path = make_photos(tmp_path_factory.mktemp("photos"), 1)[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())
        lake.client().get_datalake().upload_data(path, tags=TAG)
        patch.chdir(tmp_path_factory.mktemp("work"))
        yield Path(path)


def _rendered() -> st.SearchStrategy[Any]:
    others = (
        ID,
        str(ID),
        Path("a"),
        ObjectStoragePath("file:///no/such/place"),
        '["a"]',
        "{'a': 1}",
        "None",
        TAG,
        [[TAG]],
    )
    names = st.text(st.characters(exclude_characters="/.~"), max_size=6)
    plain = st.none() | st.booleans() | st.integers() | st.floats() | names | st.sampled_from(others)
    return st.recursive(
        plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner), max_leaves=4
    )


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(argument=st.sampled_from(ARGUMENTS), value=_rendered())
def test_a_task_takes_what_is_rendered_or_says_why_not(photo: Path, argument: tuple[Any, str], value: Any) -> None:
    """Never one of Python's own errors; what is wrong with an argument begins with its name."""
    kind, name = argument
    needed: dict[Any, dict[str, Any]] = {
        UploadDataOperator: {"filepaths": str(photo)},
        CreateProjectionOperator: {"filepath": "no-such-folder/{stem}.png"},
        DownloadDataOperator: {"target": "downloaded"},
        JobSensor: {"job_id": str(ID)},
    }
    # A template while the DAG is parsed, and what it renders to when the task runs.
    task = kind(task_id="task", **(KINDS[kind] | needed.get(kind, {}) | {name: "{{ rendered }}"}))
    setattr(task, name, value)
    try:
        task.poke({}) if kind in {DataSensor, JobSensor} else task.execute({})
    except LakeArgumentError as error:
        assert str(error).startswith(name)  # noqa: PT017 - it may as well be taken
    except OUTCOMES as error:
        assert str(error)  # noqa: PT017 - likewise
