"""Paths, ids and lists of lists, as Airflow and Python have them, are taken by operators and sensors."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from airflow.sdk import ObjectStoragePath

from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.exceptions import LakeArgumentError
from airflow_provider_lake.operators.download import DownloadDataOperator
from airflow_provider_lake.operators.processing import LaunchProcessingOperator
from airflow_provider_lake.operators.tag import TagDataOperator
from airflow_provider_lake.operators.upload import UploadDataOperator
from airflow_provider_lake.sensors.data import DataSensor
from airflow_provider_lake.sensors.job import JobSensor
from tests.lake_process import LakeProcess

# Given what no type checker would let them be given, but Airflow does.
upload: Any = UploadDataOperator
download: Any = DownloadDataOperator
launch_processing: Any = LaunchProcessingOperator
tag_data: Any = TagDataOperator
count_data: Any = DataSensor
wait_for_jobs: Any = JobSensor


@pytest.fixture
def photos(lake: LakeProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Make photos to upload."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())
    return [Path(path) for path in make_photos(tmp_path / "photos", 3)]


def _run(operator: Any) -> Any:
    """Run a task, and return its summary as it comes back from Airflow's database."""
    return json.loads(json.dumps(operator.execute({})))


def test_paths_and_ids_are_taken_as_they_are(photos: list[Path], tmp_path: Path) -> None:
    """From files to data, on to tags, to files again and to a job; what tasks return is JSON all along."""
    uploaded = _run(
        upload(
            task_id="upload",
            filepaths=[photos[0], [ObjectStoragePath(f"file://{photos[1]}"), (str(photos[2]),)]],
            tags=[2024, ["handed", "over"]],
            source=20240506,
            manifest=tmp_path / "manifest.jsonl",
        )
    )
    ids = [UUID(data_id) for data_id in uploaded["data_ids"]]
    tagged = _run(tag_data(task_id="tag", data_ids=[ids[0], [ids[1:]]], attach={"a set"}))
    one = _run(tag_data(task_id="one", data_ids=ids[0], attach="one"))
    downloaded = _run(download(task_id="download", data_ids=ids, target=tmp_path / "files"))
    launch = launch_processing(
        task_id="launch",
        processing="data auto tagging",
        data_ids=ids,
        deferrable=False,
        poll_interval=timedelta(seconds=0.1),
        timeout=timedelta(minutes=1),
    )
    job = _run(launch)
    waited = wait_for_jobs(task_id="wait", job_id=[UUID(job["job_id"]), [job, [job["job_id"]]]]).poke({})
    counted = count_data(task_id="count", tags=2024, min_count=3).poke({})

    assert (uploaded["uploaded"], uploaded["tags"], uploaded["source"]) == (3, ["2024", "handed", "over"], "20240506")
    assert (tmp_path / "manifest.jsonl").is_file()
    assert (tagged["data_count"], one["data_count"], downloaded["downloaded"], job["data_count"]) == (3, 1, 3, 3)
    assert downloaded["target"] == str(tmp_path / "files")
    assert len(list((tmp_path / "files").iterdir())) == 3
    assert [each["job_id"] for each in waited.xcom_value["jobs"]] == [job["job_id"]]
    assert bool(counted)


@pytest.mark.parametrize("skip_if_empty", [False, True])
def test_ids_that_were_too_many_to_return_are_never_none(photos: list[Path], skip_if_empty: bool) -> None:
    """It says what to hand on instead; nothing is skipped, and nothing is tagged by the other conditions."""
    uploaded = _run(upload(task_id="upload", filepaths=photos, tags="too many"))
    for none in (None, [None], [uploaded["data_ids"], None]):
        tag = tag_data(
            task_id="tag", data_ids="{{ ids }}", tags="too many", attach="wrong", skip_if_empty=skip_if_empty
        )
        tag.data_ids = none
        with pytest.raises(LakeArgumentError, match=r"^data_ids is None.* summary=upload\.output"):
            tag.execute({})
