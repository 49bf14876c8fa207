"""Of which lake tasks tell, and what imports say of what they found, against a real lake."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from airflow.sdk import AssetAlias
from airflow.sdk.exceptions import AirflowSkipException
from airflow.sdk.execution_time.context import OutletEventAccessors, set_current_context

from airflow_provider_lake.assets.lake import lake_asset
from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.exceptions import LakePermanentError
from airflow_provider_lake.operators.base import LakeOperator
from airflow_provider_lake.operators.import_bucket import ImportBucketObjectsOperator
from airflow_provider_lake.operators.upload import UploadDataOperator
from tests.lake_process import LakeProcess
from tests.tries import Tries


def _run(operator: LakeOperator) -> OutletEventAccessors:
    context = Tries().next() | {"outlet_events": OutletEventAccessors()}
    with set_current_context(context):
        operator.execute(context)
    events: OutletEventAccessors = context["outlet_events"]
    return events


def _upload(folder: Path, outlet: Any) -> UploadDataOperator:
    return UploadDataOperator(task_id="upload", filepaths=str(folder), outlets=[outlet])


def _import(prefixes: list[str], **options: Any) -> dict[str, Any]:
    operator = ImportBucketObjectsOperator(
        task_id="import", prefixes=prefixes, poll_interval=0.1, deferrable=False, **options
    )
    summary: dict[str, Any] = operator.execute(Tries().next())
    return summary


@pytest.fixture(autouse=True)
def _connection(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())


def test_an_outlet_of_another_lake_is_refused_before_anything_is_done(lake: LakeProcess, tmp_path: Path) -> None:
    """As after the connection was moved, or where the organization is another's."""
    [made] = make_photos(tmp_path, 1)
    made.rename(made.with_name(f"{uuid4().hex}.jpg"))

    for outlet in (lake_asset("old.example.com", "default"), lake_asset(lake.url, "default", organization="nobody's")):
        with pytest.raises(LakePermanentError, match=r"outlet lake://.* is not of the lake of connection"):
            _run(_upload(tmp_path, outlet))

    [photo] = tmp_path.iterdir()
    assert list(lake.client().get_datalake().iter_data(filenames=[photo.name])) == []


def test_events_carry_the_name_that_the_connection_gives_the_lake(
    lake: LakeProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the asset stays the same wherever the lake is."""
    make_photos(tmp_path, 1)
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection(extra=json.dumps({"lake_name": "north"})))
    organization = lake.client().organization_name

    [event] = _run(_upload(tmp_path, AssetAlias("any")))[AssetAlias("any")].asset_alias_events
    named = lake_asset("north", "default")
    events = _run(_upload(tmp_path, named))

    assert event.dest_asset_key.to_asset() == lake_asset("north", "default", organization=organization)
    assert events[named].extra["uploaded"] == 1


def test_an_import_says_what_it_found_and_what_became_of_it(lake: LakeProcess) -> None:
    """Objects of other kinds and folder markers are counted; what is there already is no failure."""
    prefix = f"found-{uuid4().hex[:8]}"
    make_photos(lake.objects / prefix / "a", 3)
    for name in ("notes.txt", "more.TXT", "README"):
        (lake.objects / prefix / name).write_text("words")
    (lake.objects / prefix / "a" / "bad.jpg").write_text("no image")

    with pytest.raises(LakePermanentError, match=rf"1 of 4 files failed.*\n{prefix}/a/bad.jpg: "):
        _import([f"{prefix}/"])
    summary = _import([f"{prefix}/", f"{prefix}/a/"], max_failures=0.5)

    assert summary["found"] == {f"{prefix}/": 7, f"{prefix}/a/": 4}
    assert (summary["imported"], summary["skipped"], summary["failed"]) == (0, 3, 1)
    assert summary["left_out"] == {".txt": 2, "no suffix": 1}
    assert [each["path"] for each in summary["failures"]] == [f"{prefix}/a/bad.jpg"]
    log = lake.client().get_job_by_id(summary["job_id"]).log_tail(20)
    assert "left out 2 objects: .txt" in log


def test_an_import_that_found_nothing_fails_or_is_skipped(lake: LakeProcess) -> None:
    """And never succeeds in silence."""
    prefix = f"nothing-{uuid4().hex[:8]}"
    (lake.objects / prefix).mkdir()
    (lake.objects / prefix / "notes.txt").write_text("words")

    with pytest.raises(LakePermanentError, match=rf"no image or video is below '{prefix}/'; left out: 1 .txt"):
        _import([f"{prefix}/"])
    with pytest.raises(AirflowSkipException, match="no image or video is below"):
        _import([f"{prefix}/"], skip_if_empty=True)
