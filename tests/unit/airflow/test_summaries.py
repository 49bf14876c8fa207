"""What tasks return and what the events of their assets carry."""

import re
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from airflow_provider_lake.exceptions import LakeArgumentError
from airflow_provider_lake.operators.download import DownloadDataOperator
from airflow_provider_lake.operators.import_bucket import ImportBucketObjectsOperator
from airflow_provider_lake.operators.processing import LaunchProcessingOperator
from airflow_provider_lake.operators.projection import CreateProjectionOperator
from airflow_provider_lake.operators.tag import TagDataOperator
from airflow_provider_lake.operators.update import UpdateDataOperator
from airflow_provider_lake.operators.upload import UploadDataOperator
from airflow_provider_lake.sensors.data import DataSensor
from airflow_provider_lake.sensors.job import JobSensor
from airflow_provider_lake.tasks import summaries
from airflow_provider_lake.tasks.summaries import data_ids, payload_of, to_event
from airflow_provider_lake.triggers.data import LakeDataTrigger


@pytest.mark.parametrize(
    ("documented_in", "types"),
    [
        (UploadDataOperator, [summaries.UploadSummary]),
        (ImportBucketObjectsOperator, [summaries.JobSummary, summaries.ImportDetails, summaries.ImportResult]),
        (LaunchProcessingOperator, [summaries.JobSummary, summaries.ProcessingDetails]),
        (UpdateDataOperator, [summaries.UpdateSummary]),
        (TagDataOperator, [summaries.TagSummary]),
        (DownloadDataOperator, [summaries.DownloadSummary]),
        (CreateProjectionOperator, [summaries.ProjectionSummary]),
        (DataSensor, [summaries.DataCountSummary]),
        (JobSensor, [summaries.JobsSummary]),
        (LakeDataTrigger, [summaries.ArrivalPayload]),
    ],
)
def test_docstrings_name_the_keys_of_each_summary(documented_in: type, types: list[type]) -> None:
    """All keys of the type are in the docstring, and no other."""
    text = (documented_in.__doc__ or "").partition(":param")[0]
    sentence = re.search(r"(?:Returns|payload is) ``\{.*", text, re.DOTALL)
    assert sentence is not None
    # Of what stands in a list, the keys are those of another type.
    outer = re.sub(r"\[\{.*?\}\]", "", sentence[0], flags=re.DOTALL)

    assert set(re.findall(r'"(\w+)"', outer)) == {key for type_ in types for key in get_type_hints(type_)}


def test_an_event_carries_what_is_short_and_set() -> None:
    """Lists of failures stay in the summary, and so does what is None."""
    summary = {"datalake": "d", "uploaded": 0, "failures": [{"path": "a", "reason": "b"}], "source": None, "seconds": 1}

    assert to_event(summary) == {"datalake": "d", "uploaded": 0}


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"payload": {"data_ids": ["a"]}, "from": "watcher"}, {"data_ids": ["a"]}),
        ({"data_ids": ["a"]}, {"data_ids": ["a"]}),
        (None, None),
    ],
)
def test_the_payload_of_a_watchers_event_is_its_summary(extra: Any, expected: Any) -> None:
    """Other events are summaries themselves."""
    assert payload_of(extra) == expected


def test_ids_come_from_the_summary_or_its_manifest(tmp_path: Path) -> None:
    """Above 100 data only the manifest has them; of its files, those that were uploaded count."""
    manifest = tmp_path / "manifest.jsonl"
    lines = (
        '{"path": "1", "status": "uploaded", "data_id": "a"}',
        '{"path": "2", "status": "skipped", "data_id": "b"}',
    )
    manifest.write_text("\n".join(lines) + "\n")

    assert list(data_ids({"data_ids": ["c"], "uploaded": 1, "manifest": str(manifest)})) == ["c"]
    assert list(data_ids({"data_ids": None, "uploaded": 101, "manifest": str(manifest)})) == ["a"]
    assert list(data_ids({"uploaded": 0})) == list(data_ids({"job_id": "j"})) == []
    with pytest.raises(LakeArgumentError, match="upload of 101 data does not name them"):
        data_ids({"data_ids": None, "uploaded": 101, "manifest": None})
