"""What tasks tell Airflow and OpenLineage about the data that they bring in, against a real lake."""

import sys
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.openlineage.extractors.base import DefaultExtractor
from airflow.providers.openlineage.utils.utils import translate_airflow_asset
from airflow.sdk import AssetAlias
from airflow.sdk.execution_time.context import OutletEventAccessors, set_current_context
from airflow.sdk.lineage import HookLineageCollector

from airflow_provider_lake.assets.lake import lake_asset
from airflow_provider_lake.cli.main import main
from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.operators.base import LakeOperator
from airflow_provider_lake.operators.download import DownloadDataOperator
from airflow_provider_lake.operators.import_bucket import ImportBucketObjectsOperator
from airflow_provider_lake.operators.processing import LaunchProcessingOperator
from airflow_provider_lake.operators.tag import TagDataOperator
from airflow_provider_lake.operators.upload import UploadDataOperator
from airflow_provider_lake.sensors.base import LakeSensor
from airflow_provider_lake.sensors.data import DataSensor
from airflow_provider_lake.sensors.job import JobSensor
from tests.lake_process import LakeProcess
from tests.tries import Tries
from tests.wire.task_data import upload


@pytest.fixture(autouse=True)
def _connection(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())


def _run(operator: LakeOperator | LakeSensor) -> OutletEventAccessors:
    """Run a task as Airflow does, and return its outlets' events."""
    context = Tries().next() | {"outlet_events": OutletEventAccessors()}
    with set_current_context(context):
        operator.execute(context)
    events: OutletEventAccessors = context["outlet_events"]
    return events


def _lineage(operator: LakeOperator) -> Any:
    """Return what OpenLineage's provider finds out about a task that has run."""
    lineage = DefaultExtractor(operator).extract_on_complete(None)
    assert lineage is not None
    return lineage


def test_an_upload_says_what_came_in_to_its_outlets(lake: LakeProcess, tmp_path: Path) -> None:
    """Counts, tags and source, but no long lists; other outlets than lake assets get nothing."""
    make_photos(tmp_path, 3)
    ours, other = lake_asset(lake.url, "default", "gate"), lake_asset("elsewhere", "default")

    events = _run(
        UploadDataOperator(
            task_id="upload",
            filepaths=str(tmp_path),
            tags=["gate", "day"],
            source="cam",
            outlets=[ours, AssetAlias("any upload")],
            partition_key="2026-01-01",
        )
    )

    expected: dict[str, Any] = {
        "datalake": "default",
        "datalake_id": str(lake.client().get_datalake().id),
        "tags": ["gate", "day"],
        "source": "cam",
        "uploaded": 3,
        "skipped": 0,
        "failed": 0,
        "known_bad": 0,
        "left_out": {},
    }
    expected["data_ids"] = events[ours].extra["data_ids"]
    assert len(expected["data_ids"]) == 3
    assert events[ours].extra == expected
    assert events[ours].partition_keys == {"2026-01-01"}
    assert other not in list(events)
    aliased = events[AssetAlias("any upload")].asset_alias_events
    organization = lake.client().organization_name
    assert [(event.dest_asset_key.to_asset(), event.extra) for event in aliased] == [
        (lake_asset(lake.url, "default", tag, organization=organization), expected) for tag in ("gate", "day")
    ]


def test_an_import_and_a_processing_name_their_jobs(lake: LakeProcess) -> None:
    """With their counts, whether they waited here or not."""
    make_photos(lake.objects / "outlets", 2)
    asset = lake_asset(lake.url, "default")
    command = ["counts", "--", sys.executable, "-c", "pass"]
    assert main(["processing", "register", "--data-dir", str(lake.data_dir), *command]) == 0
    importing = ImportBucketObjectsOperator(
        task_id="import", prefixes="outlets/", tags="outlets", outlets=[asset], poll_interval=0.1, deferrable=False
    )
    processing = LaunchProcessingOperator(
        task_id="launch", processing="counts", tags="outlets", outlets=[asset], wait_for_completion=False
    )

    imported, processed = _run(importing)[asset].extra, _run(processing)[asset].extra

    assert importing.last_summary is not None
    assert imported["job_id"] == importing.last_summary["job_id"]
    assert imported["progress"]["imported"] == 2  # type: ignore[index,call-overload]  # JSON
    assert (processed["processing"], processed["data_count"]) == ("counts", 2)


def test_the_sensor_that_waits_for_an_import_tells_of_it(lake: LakeProcess) -> None:
    """Where the task that started it did not wait, the data are there only now."""
    make_photos(lake.objects / "sensed", 2)
    asset = lake_asset(lake.url, "default")
    starting = ImportBucketObjectsOperator(
        task_id="import", prefixes="sensed/", tags="sensed", wait_for_completion=False
    )
    _run(starting)
    assert starting.last_summary is not None

    events = _run(
        JobSensor(task_id="wait", job_id=starting.last_summary, poke_interval=0.1, deferrable=False, outlets=[asset])
    )

    told: Any = events[asset].extra
    [job] = told["jobs"]
    assert (job["job_id"], job["progress"]["imported"]) == (starting.last_summary["job_id"], 2)


def test_a_tag_that_is_attached_is_the_asset_of_an_alias(lake: LakeProcess, tmp_path: Path) -> None:
    """Whoever is scheduled by data of that tag has new ones."""
    upload(make_photos(tmp_path, 1), tags=["untold"])

    events = _run(
        TagDataOperator(task_id="tag", tags="untold", attach="told", detach="untold", outlets=[AssetAlias("tagged")])
    )

    [event] = events[AssetAlias("tagged")].asset_alias_events
    assert event.dest_asset_key.to_asset() == lake_asset(
        lake.url, "default", "told", organization=lake.client().organization_name
    )
    assert (event.extra["attached"], event.extra["data_count"]) == (["told"], 1)


def test_a_task_without_outlets_or_context_works(tmp_path: Path) -> None:
    """As in a test of a DAG's author, who calls `execute` alone."""
    make_photos(tmp_path, 1)

    summary = UploadDataOperator(task_id="upload", filepaths=str(tmp_path)).execute(Tries().next())

    assert summary["uploaded"] == 1


def test_openlineage_hears_of_an_upload(lake: LakeProcess, tmp_path: Path) -> None:
    """Its files, or the bucket they lie in, and the datalake with the number of new data."""
    make_photos(tmp_path, 3)
    operator = UploadDataOperator(task_id="upload", filepaths=[str(tmp_path), f"{tmp_path}/*.j*"])
    _run(operator)

    lineage = _lineage(operator)

    assert [(each.namespace, each.name) for each in lineage.inputs] == [("file", str(tmp_path))]
    [output] = lineage.outputs
    assert (output.namespace, output.name) == (lake.url.replace("http", "lake"), "local/default")
    assert output.outputFacets["outputStatistics"].rowCount == 3
    assert lineage.run_facets == {}


def test_openlineage_hears_of_an_import_and_a_processing(lake: LakeProcess) -> None:
    """The prefixes or the datalake as inputs, and the job."""
    make_photos(lake.objects / "lineage", 2)
    command = ["traced", "--", sys.executable, "-c", "pass"]
    assert main(["processing", "register", "--data-dir", str(lake.data_dir), *command]) == 0
    importing = ImportBucketObjectsOperator(
        task_id="import", prefixes="lineage/", tags="lineage", poll_interval=0.1, deferrable=False
    )
    processing = LaunchProcessingOperator(
        task_id="launch", processing="traced", tags="lineage", poll_interval=0.1, deferrable=False
    )
    _run(importing)
    _run(processing)

    imported, processed = _lineage(importing), _lineage(processing)

    assert [each.name for each in imported.inputs] == ["local/default/objects/lineage/"]
    assert [each.name for each in processed.inputs] == ["local/default"]
    for lineage, operator in ((imported, importing), (processed, processing)):
        assert lineage.outputs[0].outputFacets["outputStatistics"].rowCount == 2
        assert operator.last_summary is not None
        assert lineage.run_facets["externalQuery"].externalQueryId == operator.last_summary["job_id"]


def test_an_alias_hears_only_of_what_is_new(tmp_path: Path) -> None:
    """An upload that finds all of its files in the lake starts no DAG."""
    make_photos(tmp_path, 1)

    def run() -> int:
        upload = UploadDataOperator(
            task_id="upload", filepaths=str(tmp_path), source="again", if_exists="skip", outlets=[AssetAlias("new")]
        )
        return len(_run(upload)[AssetAlias("new")].asset_alias_events)

    assert [run(), run()] == [1, 0]


def test_what_only_reads_a_lake_has_it_as_input(
    lake: LakeProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A download writes to its folder, and its aliases hear nothing; a sensor writes nowhere."""
    collector = HookLineageCollector()
    monkeypatch.setattr("airflow_provider_lake.tasks.asset_events.get_hook_lineage_collector", lambda: collector)
    upload(make_photos(tmp_path / "photos", 2), tags=["read"])
    download = DownloadDataOperator(
        task_id="download", tags="read", target=str(tmp_path / "out"), outlets=[AssetAlias("archive")]
    )

    events = _run(download)
    _run(DataSensor(task_id="wait", tags="read", min_count=2, deferrable=False))

    lineage = _lineage(download)
    datalake = (lake.url.replace("http", "lake"), "local/default")
    assert [(each.namespace, each.name) for each in lineage.inputs] == [datalake]
    assert [(each.namespace, each.name) for each in lineage.outputs] == [("file", str(tmp_path / "out"))]
    assert events[AssetAlias("archive")].asset_alias_events == []
    collected = collector.collected_assets
    organization = lake.client().organization_name
    assert {each.asset.uri for each in collected.inputs} == {
        lake_asset(lake.url, "default", organization=organization).uri
    }
    assert collected.outputs == []


def test_credentials_in_the_host_are_told_to_nobody(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some people write them there; neither events nor lineage show them."""
    host = lake.url.replace("http://", "http://user:hidden@")
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection(host=host))
    make_photos(lake.objects / "untold", 1)
    importing = ImportBucketObjectsOperator(
        task_id="import", prefixes="untold/", poll_interval=0.1, deferrable=False, outlets=[AssetAlias("any import")]
    )

    events = _run(importing)

    lineage = _lineage(importing)
    assert lineage.run_facets["externalQuery"].source == lake.url
    told = [lineage.inputs, lineage.outputs, events[AssetAlias("any import")].asset_alias_events]
    assert "hidden" not in repr(told)


@pytest.mark.parametrize(("tag", "name"), [(None, "my lake"), (["b", "a"], "my lake?tag=a&tag=b")])
def test_openlineage_knows_our_assets(tag: list[str] | None, name: str) -> None:
    """By the converter that Airflow finds in the provider's metadata."""
    dataset = translate_airflow_asset(lake_asset("https://example.com:8443", "my lake", tag), None)

    assert dataset is not None
    assert (dataset.namespace, dataset.name) == ("lake://example.com:8443", name)
