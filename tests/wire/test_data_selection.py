"""How tasks say which data they mean, against a real lake."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.client import Datalake
from airflow_provider_lake.exceptions import LakePermanentError
from airflow_provider_lake.operators.base_data import DataSelectingOperator
from airflow_provider_lake.operators.download import DownloadDataOperator
from airflow_provider_lake.operators.import_bucket import ImportBucketObjectsOperator
from airflow_provider_lake.operators.processing import LaunchProcessingOperator
from airflow_provider_lake.operators.projection import CreateProjectionOperator
from airflow_provider_lake.operators.upload import UploadDataOperator
from tests.lake_process import LakeProcess
from tests.tries import Tries

PHOTOS = 6


@pytest.fixture(autouse=True)
def _connected(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Make photos."""
    return make_photos(tmp_path_factory.mktemp("photos"), PHOTOS)


@pytest.fixture
def tag() -> str:
    """Return a tag of this test's own."""
    return f"selected-{uuid4().hex[:8]}"


def _upload(photos: list[Path], **options: Any) -> dict[str, Any]:
    operator = UploadDataOperator(task_id="upload", filepaths=[str(path) for path in photos], **options)
    summary: dict[str, Any] = operator.execute({})
    return summary


def _selected(lake: LakeProcess, **selection: Any) -> list[str]:
    """Return the ids of the data that an operator selects."""
    operator = DataSelectingOperator(task_id="select", **selection)
    return [str(data.id) for data in operator.select_data(_datalake(lake))]


def _datalake(lake: LakeProcess) -> Datalake:
    return lake.client().get_datalake()


def _refused(lake: LakeProcess, error: type[Exception], match: str, **selection: Any) -> None:
    with pytest.raises(error, match=match):
        _selected(lake, **selection)


def test_data_match_everything_that_is_given(lake: LakeProcess, photos: list[Path], tag: str) -> None:
    """Ids, tags, a query and a summary narrow each other down."""
    first = _upload(photos[:3], tags=[tag])
    second = _upload(photos[3:], tags=[tag], source=f"source {tag}")
    both = [*first["data_ids"], *second["data_ids"]]
    query = f'data_source.name = "source {tag}"'

    assert sorted(_selected(lake, tags=tag)) == sorted(both)
    assert sorted(_selected(lake, tags=tag, query=query)) == sorted(second["data_ids"])
    assert sorted(_selected(lake, summary=second)) == sorted(second["data_ids"])
    assert sorted(_selected(lake, summary=[first, second])) == sorted(both)
    assert sorted(_selected(lake, summary=[first, second, first], query=query)) == sorted(second["data_ids"])
    assert set(_selected(lake, summary=[first, second], data_ids=[both[1], both[4]])) == {both[1], both[4]}
    assert _selected(lake, data_ids=both[1], tags=[tag, "another"]) == [both[1]]
    assert _selected(lake, data_ids=both[1:2] * 2) == [both[1]]


def test_all_tags_are_asked_for_where_told(lake: LakeProcess, photos: list[Path], tag: str) -> None:
    """Otherwise any of them."""
    one, other = _upload(photos[:1], tags=[tag]), _upload(photos[1:2], tags=[tag, f"{tag} 2"])

    assert _selected(lake, tags=[tag, f"{tag} 2"]) == [*one["data_ids"], *other["data_ids"]]
    assert _selected(lake, tags=[tag, f"{tag} 2"], intersect_tags=True) == other["data_ids"]


def test_an_import_means_what_lies_below_its_prefixes_with_its_tags(lake: LakeProcess, tag: str) -> None:
    """Upper and lower case count, nested prefixes do not count twice, and other tags' data are not meant."""
    make_photos(lake.objects / tag / "in", 3)
    make_photos(lake.objects / tag.upper() / "in", 2, seed=2)
    bring = ImportBucketObjectsOperator(
        task_id="import", prefixes=[f"{tag}/", f"{tag}/in"], tags=tag, source="bucket", deferrable=False
    )
    other = ImportBucketObjectsOperator(task_id="other", prefixes=f"{tag.upper()}/", tags=tag, deferrable=False)

    summary = bring.execute({})
    other.execute({})

    names = {str(data.id): data.object_name for data in _datalake(lake).list_data(tags=[tag])}
    assert len(names) == 5
    found = _selected(lake, summary=summary)
    assert len(found) == 3
    assert all(names[data_id].startswith(f"{tag}/in/") for data_id in found)


def test_an_import_that_was_not_waited_for_is_refused_until_it_has_ended(lake: LakeProcess, tag: str) -> None:
    """What it brings in is not all there before."""
    make_photos(lake.objects / tag, 2)
    summary = ImportBucketObjectsOperator(task_id="import", prefixes=f"{tag}/", wait_for_completion=False).execute({})
    lake.client().get_job_by_id(summary["job_id"]).wait_for_done(0.1, 200)

    assert len(_selected(lake, summary=summary)) == 2

    failed = {**summary, "job_id": str(uuid4())}
    _refused(lake, Exception, f"no job with id {failed['job_id']}", summary=failed)


def test_a_large_upload_is_known_by_its_manifest(
    lake: LakeProcess, photos: list[Path], tag: str, tmp_path: Path
) -> None:
    """Its summary has no ids; without a manifest it is refused, for its tags may be on other data too."""
    _upload(photos[:1], tags=[tag])
    summary = _upload(photos[1:], tags=[tag], manifest=str(tmp_path / "run.jsonl"))
    data_ids, summary["data_ids"] = summary["data_ids"], None

    assert sorted(_selected(lake, summary=summary)) == sorted(data_ids)

    summary["manifest"] = None
    _refused(lake, LakePermanentError, f"upload of {PHOTOS - 1} data does not name them", summary=summary)


@pytest.mark.parametrize(
    ("selection", "reason"),
    [
        ({}, "no data selected"),
        ({"data_ids": []}, "data_ids is empty"),
        ({"summary": []}, "summary is empty"),
        ({"tags": []}, "tags is empty"),
        ({"query": ""}, "query is empty"),
        ({"tags": "never given"}, "it has no data tag named 'never given'"),
        ({"data_ids": ["no-id"]}, "'no-id' is no id"),
        ({"data_ids": [str(uuid4())]}, "has no data with id"),
        ({"query": "meta.width >"}, "column"),
        ({"summary": "{'datalake': 'default'}"}, "is no summary of a task"),
        ({"summary": {"datalake": "default", "jobs": []}}, "with datalake, jobs names no data"),
        ({"summary": {}}, "a summary with nothing in it names no data"),
        ({"summary": {"jobs": []}}, "a summary with jobs names no data"),
        ({"summary": {"datalake": "default", "prefixes": ["a"]}}, "names no job either"),
        ({"summary": {"datalake": "default", "prefixes": "a", "status": "SUCCEEDED", "source": 5}}, "matches no data"),
        ({"summary": {"datalake": "default", "uploaded": 200, "manifest": ["a"]}}, "summary must be a path or a URL"),
        ({"summary": {"datalake": "other", "uploaded": 1, "data_ids": []}}, "is of datalake 'other'"),
        ({"summary": {"datalake": "default", "datalake_id": "x", "uploaded": 1}}, "is of datalake 'default' \\(x\\)"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(lake: LakeProcess, selection: dict[str, Any], reason: str) -> None:
    """Nothing given, something empty, unknown, of another kind, or of another datalake."""
    _refused(lake, Exception, reason, **selection)


def test_what_an_upstream_task_did_not_return_means_no_data(lake: LakeProcess, photos: list[Path], tag: str) -> None:
    """And never all that have the tag: a template that renders to nothing was given all the same."""
    summary = _upload(photos[:1], tags=[tag])
    operator = DataSelectingOperator(task_id="select", summary="{{ ti.xcom_pull('skipped') }}", tags=tag)  # type: ignore[arg-type]  # a template
    operator.summary = None

    with pytest.raises(Exception, match="summary is empty"):
        list(operator.select_data(_datalake(lake)))
    # Of mapped tasks, those that were skipped returned nothing.
    assert _selected(lake, summary=[None, summary]) == summary["data_ids"]


def test_a_task_without_data_is_skipped_where_told(lake: LakeProcess, photos: list[Path], tag: str) -> None:
    """An upload that found all files in the lake brought nothing in."""
    _upload(photos[:1], source=tag)
    summary = _upload(photos[:1], source=tag, if_exists="skip")

    assert (summary["uploaded"], summary["skipped"], summary["data_ids"]) == (0, 1, [])
    _refused(lake, AirflowSkipException, "brought none in", summary=summary, skip_if_empty=True)
    _refused(lake, Exception, "brought none in", summary=summary)


@pytest.mark.parametrize(
    ("selecting", "is_for_work"),
    [(DownloadDataOperator, True), (CreateProjectionOperator, True), (DataSelectingOperator, False)],
)
def test_only_finished_data_are_handed_on(
    lake: LakeProcess, photos: list[Path], tag: str, tmp_path: Path, selecting: type[Any], is_for_work: bool
) -> None:
    """What the lake could not process is counted, and taken where that is asked for."""
    bad = tmp_path / "bad.jpg"
    bad.write_text("no image")
    summary = _upload([*photos[:2], bad], tags=[tag], max_failures=1)
    needed = {
        "DownloadDataOperator": {"target": str(tmp_path)},
        "CreateProjectionOperator": {"projection": "p", "filepath": "{id}"},
    }
    given: dict[str, Any] = needed.get(selecting.__name__, {})

    def select(**how: Any) -> tuple[int, dict[str, int]]:
        operator = selecting(task_id="select", tags=tag, **given, **how)
        return len(list(operator.select_data(_datalake(lake)))), dict(operator.left_out)

    assert summary["failed"] == 1
    assert select(only_done=True) == (2, {"ERROR": 1})
    assert select(only_done=False) == (3, {})
    assert select() == ((2, {"ERROR": 1}) if is_for_work else (3, {}))


def test_a_processing_gets_finished_data_only(photos: list[Path], tag: str, tmp_path: Path) -> None:
    """The summary says what was left out; where nothing else is selected, it says why nothing is done."""
    bad = tmp_path / "bad.jpg"
    bad.write_text("no image")
    _upload([*photos[:2], bad], tags=[tag], max_failures=1)
    _upload([bad], tags=[f"{tag}-bad"], max_failures=1)

    def launch(selected: str) -> dict[str, Any]:
        operator = LaunchProcessingOperator(
            task_id="launch", processing="data auto tagging", tags=selected, wait_for_completion=False
        )
        found: dict[str, Any] = operator.execute(Tries().next())
        return found

    summary = launch(tag)

    assert (summary["data_count"], summary["left_out"]) == (2, {"ERROR": 1})
    with pytest.raises(LakePermanentError, match="none of the selected data is finished: 1 ERROR"):
        launch(f"{tag}-bad")
