"""Putting files beside data as a task, against a real lake."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.client import Data
from airflow_provider_lake.exceptions import LakePermanentError, LakeUploadError
from airflow_provider_lake.operators.projection import CreateProjectionOperator
from tests.lake_process import LakeProcess
from tests.wire.task_data import upload


@pytest.fixture
def photos(lake: LakeProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Upload photos under a tag of the test's own, the name of their folder; for each there is a mask."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())
    paths = make_photos(tmp_path / f"shown-{uuid4().hex[:8]}", 3)
    upload(paths, tags=[paths[0].parent.name])
    (tmp_path / "masks").mkdir()
    for path in paths:
        (tmp_path / "masks" / f"{path.stem}_mask.png").write_bytes(b"mask of " + path.name.encode())
    return paths


def _create(photos: list[Path], filepath: Any, **options: Any) -> dict[str, Any]:
    operator = CreateProjectionOperator(
        task_id="show", tags=photos[0].parent.name, projection="mask", filepath=filepath, **options
    )
    summary: dict[str, Any] = operator.execute({})
    return summary


def _masks(lake: LakeProcess, photos: list[Path]) -> dict[str, list[bytes]]:
    """Return the bytes of the masks by the filenames of the data."""
    return {
        data.filename: [each.read() for each in data.list_projections() if each.name == "mask"]
        for data in _data(lake, photos)
    }


def _data(lake: LakeProcess, photos: list[Path]) -> list[Data]:
    return list(lake.client().get_datalake().list_data(tags=[photos[0].parent.name]))


def _pattern(photos: list[Path]) -> str:
    return f"{photos[0].parent.parent}/masks/{{stem}}_mask.png"


def test_a_pattern_says_the_file_of_each_data(lake: LakeProcess, photos: list[Path]) -> None:
    """Each gets its own, once, though the task runs twice."""
    first = _create(photos, _pattern(photos), additional_info={"model": "m-7"})
    second = _create(photos, f"file://{_pattern(photos)}")

    assert _masks(lake, photos) == {path.name: [b"mask of " + path.name.encode()] for path in photos}
    assert (first["data_count"], first["created"], first["kept"], first["failed"]) == (3, 3, 0, 0)
    assert (second["data_count"], second["created"], second["kept"], second["failed"]) == (3, 0, 3, 0)
    infos = [each.infos for data in _data(lake, photos) for each in data.list_projections() if each.name == "mask"]
    assert infos == [{"model": "m-7"}] * 3


def test_a_mapping_says_it_by_id_or_filename(lake: LakeProcess, photos: list[Path]) -> None:
    """Data that it does not name have none."""
    data = _data(lake, photos)
    masks = {path.name: str(path.parent.parent / "masks" / f"{path.stem}_mask.png") for path in photos}
    given = {str(data[0].id): masks[data[0].filename], data[1].filename: masks[data[1].filename]}

    summary = _create(photos, given, skip_missing=True)

    assert (summary["created"], summary["missing"], summary["failed"]) == (2, 1, 0)
    found = _masks(lake, photos)
    assert found == {
        each.filename: [b"mask of " + each.filename.encode()] if number < 2 else [] for number, each in enumerate(data)
    }


def test_a_file_that_is_missing_fails_unless_told(lake: LakeProcess, photos: list[Path]) -> None:
    """It is named with its data; the others are created."""
    missing = photos[1].parent.parent / "masks" / f"{photos[1].stem}_mask.png"
    missing.unlink()

    with pytest.raises(LakeUploadError, match=rf"1 of 3 files failed(?s:.)*{missing}: no such file.*{photos[1].name}"):
        _create(photos, _pattern(photos))
    summary = _create(photos, _pattern(photos), skip_missing=True)

    assert (summary["kept"], summary["missing"]) == (2, 1)
    assert _masks(lake, photos)[photos[1].name] == []


def test_an_entry_that_no_data_or_several_would_get_fails(photos: list[Path], tmp_path: Path) -> None:
    """A slip in a name, and a name that two data share."""
    upload(make_photos(tmp_path / "others", 1, seed=9), tags=[photos[0].parent.name])
    mask = str(tmp_path / "masks" / f"{photos[0].stem}_mask.png")

    summary = _create(photos, {photos[0].name: mask, "slip.jpg": mask}, skip_missing=True, max_failures=2)

    reasons = {failure["path"]: failure["reason"] for failure in summary["failures"]}
    assert reasons == {
        photos[0].name: f"several of the selected data are named {photos[0].name!r}: give their files by id",
        "slip.jpg": "no selected data has this id or filename",
    }
    assert summary["created"] == 1


@pytest.mark.parametrize("pattern", ["/masks/{name}.png", "/masks/{.png", "/masks/{}.png"])
def test_a_pattern_that_cannot_be_filled_in_is_refused(photos: list[Path], pattern: str) -> None:
    """And named."""
    with pytest.raises(LakePermanentError, match="cannot be filled in"):
        _create(photos, pattern)
