"""The example DAG through a real Airflow into a real lake."""

import hashlib
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.client import Datalake, MultiData
from tests.e2e.airflow_stack import AirflowStack
from tests.lake_process import LakeProcess

ROOT = Path(__file__).resolve().parents[2]
CAMERA_PHOTOS = ROOT.parent / "shared" / "photos"
DAG_ID = "example_lake_ingestion"


def _hashes(paths: list[Path]) -> Counter[str]:
    return Counter(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)


def _stored_hashes(data: MultiData) -> Counter[str]:
    return Counter(hashlib.sha256(each.read()).hexdigest() for each in data)


def _ingest(airflow: AirflowStack, lake: LakeProcess, photos: Path, tag: str) -> tuple[dict[str, object], Datalake]:
    """Run the DAG on a folder and on objects of the same tag's prefix; return its report and the lake."""
    run = airflow.run_dag(DAG_ID, {"folder": str(photos), "prefix": f"{tag}/", "tags": [tag]})
    tasks = airflow.tasks(run)
    failed = [task["task_id"] for task in tasks if task["state"] != "success"]
    logs = "\n".join(airflow.log(run, task_id)[-3000:] for task_id in failed)
    assert (run["state"], failed) == ("success", []), logs
    return airflow.result(run, "report"), lake.client().get_datalake()


@pytest.mark.every_airflow
def test_photos_of_folder_and_bucket_arrive_byte_for_byte(
    airflow: AirflowStack, lake: LakeProcess, tmp_path: Path
) -> None:
    """What was in folder and bucket is in the lake: the same bytes, each once, tagged, with its camera as source."""
    uploads = make_photos(tmp_path / "photos", 12, seed=31)
    objects = make_photos(lake.objects / "e2e-sample", 9, seed=37)

    report, datalake = _ingest(airflow, lake, tmp_path / "photos", "e2e-sample")

    data = datalake.list_data(tags=["e2e-sample"])
    assert _stored_hashes(data) == _hashes([*uploads, *objects])
    assert report["data"] == len(data) == 21
    assert (report["uploaded"], report["imported"], report["failed"]) == (12, 9, 0)
    assert report["sources"] == {"Northlight Field 7": 4, "Northlight Mast 2": 4, "Ostra Gate One": 4, "bucket": 9}
    assert report["with_metadata"] == 21
    tags = Counter(tag.name for each in data for tag in each.tags)
    assert tags["landscape"] == tags["has GPS"] + 7 == 14
    assert tags["portrait"] == 7
    assert tags["sharp"] + tags["blurry"] == 21
    for each in data:
        assert each.width is not None
        assert each.height is not None
        orientation = "portrait" if each.height > each.width else "landscape"
        assert orientation in [tag.name for tag in each.tags]


# Photos of real cameras belong to those who took them, and are no part of this repository.
@pytest.mark.skipif(not CAMERA_PHOTOS.is_dir(), reason="there is no folder of real photos beside this checkout")
def test_real_camera_photos_arrive_with_their_exif(airflow: AirflowStack, lake: LakeProcess) -> None:
    """Forty photos of real cameras go through, with sizes as displayed, positions and makers."""
    make_photos(lake.objects / "e2e-cameras", 3, seed=3)

    report, datalake = _ingest(airflow, lake, CAMERA_PHOTOS, "e2e-cameras")

    photos = sorted(CAMERA_PHOTOS.glob("*.jpg"))
    data = datalake.list_data(tags=["e2e-cameras"])
    cameras = {each.filename: each.data_source.name for each in data if each.data_source}
    uploaded = {each.filename: each for each in data if cameras[each.filename] != "bucket"}
    assert (report["uploaded"], report["imported"], report["failed"]) == (len(photos), 3, 0)
    assert sorted(uploaded) == [photo.name for photo in photos]
    for photo in photos:
        each = uploaded[photo.name]
        assert each.read() == photo.read_bytes()
        with Image.open(photo) as image:
            turned = image.getexif().get(0x0112, 1) >= 5
            size = image.size[::-1] if turned else image.size
        assert (each.width, each.height) == size, photo.name
    located = [name for name, each in uploaded.items() if "has GPS" in [tag.name for tag in each.tags]]
    assert sorted(located) == [photo.name for photo in photos if photo.name.startswith("gps_")]
    assert cameras["gps_DSCN0010.jpg"] == "NIKON COOLPIX P6000"
    assert (uploaded["gps_DSCN0010.jpg"].metadata or {})["latitude"] == pytest.approx(43.4674, abs=1e-3)
