"""What became of each file of an upload, as JSON lines, against a real lake."""

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.exceptions import LakePermanentError, LakeUploadError
from airflow_provider_lake.files.manifest import read_manifest
from airflow_provider_lake.ingest import progress as upload_progress
from airflow_provider_lake.operators.upload import UploadDataOperator
from tests.lake_process import LakeProcess
from tests.tries import Tries
from tests.wire.task_data import upload


@pytest.fixture(autouse=True)
def _small_chunks(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())
    monkeypatch.setattr(upload_progress, "CHUNK_FILES", 2)


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Make photos."""
    return make_photos(tmp_path / "photos", 5, seed=uuid4().int % 1000)


def _lines(path: Path) -> dict[str, dict[str, Any]]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len({line["path"] for line in lines}) == len(lines)
    return {Path(line["path"]).name: line for line in lines}


def test_each_file_has_one_line(lake: LakeProcess, photos: list[Path], tmp_path: Path) -> None:
    """Uploaded with id, size and hash; skipped with the id of what was there; failed with the reason."""
    manifest = tmp_path / "out" / "run 1.jsonl"
    upload(photos[:1], if_exists="skip_content")
    bad = tmp_path / "bad.jpg"
    bad.write_text(f"words {tmp_path}")

    summary = upload([*photos, bad], if_exists="skip_content", manifest=f"file://{manifest}", max_failures=1)

    lines = _lines(manifest)
    assert summary["manifest"] == f"file://{manifest}"
    assert [path.name for path in manifest.parent.iterdir()] == ["run 1.jsonl"]
    assert {name: line["status"] for name, line in lines.items()} == {
        photos[0].name: "skipped",
        **{path.name: "uploaded" for path in photos[1:]},
        "bad.jpg": "failed",
    }
    datalake = lake.client().get_datalake()
    for path in photos:
        line = lines[path.name]
        data = datalake.find_data(id=line["data_id"])
        assert data.read() == path.read_bytes()
        assert (line["path"], line["size"]) == (str(path), path.stat().st_size)
        assert line["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert line["reason"] is None
    assert "not an image" in lines["bad.jpg"]["reason"]


def test_a_retry_completes_the_manifest_of_a_task_that_failed(
    lake: LakeProcess, photos: list[Path], tmp_path: Path
) -> None:
    """Without Airflow's help: nothing is uploaded again, and what failed is replaced by what became of it."""
    tag, content = f"manifest-{uuid4().hex[:8]}", photos[2].read_bytes()
    photos[2].write_bytes(b"")
    manifest = tmp_path / "run.jsonl"
    operator = UploadDataOperator(task_id="upload", filepaths=str(photos[0].parent), tags=[tag], manifest=str(manifest))
    tries = Tries()

    with pytest.raises(LakeUploadError):
        operator.execute(_without_store(tries))
    assert {line["status"] for line in _lines(manifest).values()} == {"uploaded", "failed"}
    photos[2].write_bytes(content)
    more = make_photos(tmp_path / "more", 1)[0].rename(photos[0].parent / "more.jpg")
    summary = operator.execute(_without_store(tries))

    # A file that came meanwhile does no harm.
    assert (summary["uploaded"], summary["failed"]) == (6, 0)
    assert {name: line["status"] for name, line in _lines(manifest).items()} == dict.fromkeys(
        [*(path.name for path in photos), more.name], "uploaded"
    )
    data = lake.client().get_datalake().list_data(tags=[tag])
    assert sorted(str(each.id) for each in data) == sorted(summary["data_ids"])
    assert len(data) == 6


def test_what_another_run_has_left_is_not_taken_for_its_own(
    lake: LakeProcess, photos: list[Path], tmp_path: Path
) -> None:
    """A cleared task uploads everything again, and the manifest of the same name is replaced."""
    tag, manifest = f"manifest-{uuid4().hex[:8]}", tmp_path / "run.jsonl"
    operator = UploadDataOperator(task_id="upload", filepaths=str(photos[0].parent), tags=[tag], manifest=str(manifest))
    tries = Tries()

    operator.execute(_without_store(tries))
    tries.clear()
    summary = operator.execute(_without_store(tries))

    assert len(lake.client().get_datalake().list_data(tags=[tag])) == 10
    assert sorted(line["data_id"] for line in _lines(manifest).values()) == sorted(summary["data_ids"])


def test_a_retry_after_the_dag_was_corrected_uploads_what_it_says_now(
    lake: LakeProcess, photos: list[Path], tmp_path: Path
) -> None:
    """What went into another datalake, or with other tags, is not what is asked for."""
    wrong, right = (f"manifest-{uuid4().hex[:8]}" for _ in range(2))
    photos[2].write_bytes(b"")
    tries, manifest = Tries(), tmp_path / "run.jsonl"
    given: dict[str, Any] = {"task_id": "upload", "filepaths": str(photos[0].parent), "manifest": str(manifest)}

    with pytest.raises(LakeUploadError):
        UploadDataOperator(**given, tags=[wrong]).execute(_without_store(tries))
    photos[2].unlink()
    summary = UploadDataOperator(**given, tags=[right]).execute(_without_store(tries))

    data = lake.client().get_datalake().list_data(tags=[right])
    assert summary["uploaded"] == len(data) == 4
    assert sorted(line["data_id"] for line in _lines(manifest).values()) == sorted(str(each.id) for each in data)


def test_a_mapped_task_has_a_manifest_of_its_own(photos: list[Path], tmp_path: Path) -> None:
    """Its map index stands before the suffix."""
    for index in range(2):
        instance = SimpleNamespace(
            dag_id="d",
            run_id="r",
            task_id="t",
            map_index=index,
            try_number=1,
            max_tries=0,
            task=SimpleNamespace(retries=0),
        )
        operator = UploadDataOperator(
            task_id="upload", filepaths=str(photos[index]), manifest=str(tmp_path / "run.jsonl")
        )
        summary = operator.execute({"ti": instance})  # type: ignore[typeddict-item]  # what a try tells of itself
        assert summary["manifest"] == str(tmp_path / f"run.{index}.jsonl")

    assert [list(_lines(tmp_path / f"run.{index}.jsonl")) for index in range(2)] == [
        [photos[index].name] for index in range(2)
    ]


def test_a_file_that_is_no_manifest_is_not_replaced(photos: list[Path], tmp_path: Path) -> None:
    """It was meant otherwise, surely."""
    precious = tmp_path / "notes.jsonl"
    precious.write_text("my notes\n")

    with pytest.raises(LakePermanentError, match=r"notes\.jsonl is no manifest"):
        upload(photos, manifest=str(precious))
    assert precious.read_text() == "my notes\n"


def test_a_manifest_can_lie_in_a_bucket(bucket: Any, photos: list[Path]) -> None:
    """Written whole at the end; nothing else stays there, and the URL reads it again."""
    summary = upload(photos, manifest="s3://archive@archive/runs/r 1.jsonl")

    assert [item.key for item in bucket.objects.all()] == ["runs/r 1.jsonl"]
    assert sorted(line["data_id"] for line in read_manifest(summary["manifest"])) == sorted(summary["data_ids"])


def _without_store(tries: Tries) -> Any:
    context = tries.next()
    context.pop("task_state_store")
    return context
