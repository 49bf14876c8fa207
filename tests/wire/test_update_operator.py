"""Changing what is known about data as a task, against a real lake."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.client import Data
from airflow_provider_lake.exceptions import LakePermanentError
from airflow_provider_lake.operators.update import UpdateDataOperator
from tests.lake_process import LakeProcess
from tests.wire.task_data import upload


@pytest.fixture
def tag(lake: LakeProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Upload photos with metadata under a tag of the test's own."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())
    name = f"updated-{uuid4().hex[:8]}"
    upload(make_photos(tmp_path, 3), tags=[name], metadata={"weather": "sun", "reference": "r-1"})
    return name


def _update(tag: str, **options: Any) -> dict[str, Any]:
    summary: dict[str, Any] = UpdateDataOperator(task_id="update", tags=tag, **options).execute({})
    return summary


def _data(lake: LakeProcess, tag: str) -> list[Data]:
    return list(lake.client().get_datalake().list_data(tags=[tag]))


def test_only_what_is_given_changes(lake: LakeProcess, tag: str) -> None:
    """Other keys stay, None takes one out; doing it again updates none."""
    change = {
        "metadata": {"weather": "rain", "reference": None, "altitude": 812.5},
        "custom_metadata": {"checked": True},
        "source": f"source {tag}",
        "add_tags": ["changed"],
    }

    first, second = _update(tag, **change), _update(tag, **change)

    assert first == {"datalake": "default", "data_count": 3, "updated": 3}
    assert second == {"datalake": "default", "data_count": 3, "updated": 0}
    for each in _data(lake, tag):
        assert each.metadata == {"weather": "rain", "altitude": 812.5}
        assert each.custom_metadata == {"checked": True}
        assert each.data_source is not None
        assert each.data_source.name == f"source {tag}"
        assert {found.name for found in each.tags} == {tag, "changed"}


def test_metadata_are_replaced_where_told(lake: LakeProcess, tag: str) -> None:
    """What is not given is gone then."""
    _update(tag, metadata={"weather": "fog"}, replace_metadata=True)

    assert [each.metadata for each in _data(lake, tag)] == [{"weather": "fog"}] * 3


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, "nothing to change given"),
        ({"add_tags": []}, "nothing to change given"),
        ({"metadata": "{'weather': 'rain'}"}, "metadata must be a mapping"),
        ({"metadata": {"no such key": 1}}, "no such key"),
        ({"metadata": {"latitude": 47.0}}, "latitude and longitude go together"),
    ],
)
def test_what_the_lake_does_not_take_is_named(lake: LakeProcess, tag: str, change: dict[str, Any], reason: str) -> None:
    """And nothing has changed."""
    with pytest.raises(LakePermanentError, match=reason):
        _update(tag, **change)

    assert [each.metadata for each in _data(lake, tag)] == [{"weather": "sun", "reference": "r-1"}] * 3
