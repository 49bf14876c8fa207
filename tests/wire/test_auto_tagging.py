"""The processing `data auto tagging` on a real lake, from launch to tags."""

from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from PIL.ExifTags import GPS, IFD, Base

from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.client import Client, Data, Datalake, ErrorManager, Job, JobStatus, MultiData
from tests.lake_process import LakeProcess
from tests.wire.job_calls import wait_for

PLACE: dict[int, object] = {
    GPS.GPSLatitudeRef: "N",
    GPS.GPSLatitude: (47.0, 33.0, 27.0),
    GPS.GPSLongitudeRef: "E",
    GPS.GPSLongitude: (10.0, 44.0, 59.0),
}


@pytest.fixture
def client(lake: LakeProcess) -> Client:
    """Return a client of the lake's owner."""
    return lake.client()


@pytest.fixture
def datalake(client: Client) -> Datalake:
    """Return the default datalake."""
    return client.get_datalake()


def _save_photos(folder: Path) -> dict[str, set[str]]:
    """Make photos, and return the tags that each shall get."""
    turned, located = Image.Exif(), Image.Exif()
    turned[Base.Orientation] = 6
    located.get_ifd(IFD.GPSInfo).update(PLACE)

    Image.new("RGB", (60, 40), "#101010").save(folder / "night.jpg")
    Image.new("RGB", (40, 60), "#f0f0f0").save(folder / "snow.jpg")
    Image.new("RGB", (60, 40), "#808080").save(folder / "turned.jpg", exif=turned)
    Image.new("RGB", (50, 50), "#808080").save(folder / "located.jpg", exif=located)
    stripes = Image.new("RGB", (1200, 800), "#808080")
    for x in range(0, 1200, 40):
        ImageDraw.Draw(stripes).rectangle((x, 0, x + 19, 800), fill="#202020")
    stripes.save(folder / "stripes.png")
    return {
        "night.jpg": {"landscape", "dark", "blurry"},
        "snow.jpg": {"portrait", "bright", "blurry"},
        "turned.jpg": {"portrait", "blurry"},
        "located.jpg": {"square", "blurry", "has GPS"},
        "stripes.png": {"landscape", "sharp"},
    }


def _upload(datalake: Datalake, folder: Path) -> MultiData:
    """Upload all files of a folder; the lake need not understand each."""
    errors = ErrorManager()
    uploaded = datalake.upload_data(
        sorted(folder.iterdir()), error_manager=errors, wait_for_unprocessable_data=False, max_workers=2
    )
    assert errors.errors == []
    return MultiData([uploaded]) if isinstance(uploaded, Data) else uploaded


def _tag(client: Client, datalake: Datalake, data: MultiData, **parameters: object) -> Job:
    """Run the processing, and return its job once it has ended."""
    job = datalake.launch_processing(client.get_processing("data auto tagging"), data, parameters)

    def ended() -> Job | None:
        now = job.refresh()
        return now if now.status.is_final else None

    return wait_for(ended)


def _tags(data: MultiData) -> dict[str, set[str]]:
    return {each.filename: {tag.name for tag in each.refresh().tags} for each in data}


def test_photos_get_the_tags_that_fit(client: Client, datalake: Datalake, tmp_path: Path) -> None:
    """By shape as displayed, light, sharpness and place; a second run changes nothing."""
    expected = _save_photos(tmp_path)
    data = _upload(datalake, tmp_path)

    for _ in range(2):
        job = _tag(client, datalake, data)

        assert (job.status, job.error) == (JobStatus.SUCCEEDED, None)
        assert _tags(data) == expected


def test_parameters_move_the_borders(client: Client, datalake: Datalake, tmp_path: Path) -> None:
    """What was dark or blurry is so no longer."""
    _save_photos(tmp_path)
    data = _upload(datalake, tmp_path)

    _tag(client, datalake, data, dark_below=5, bright_above=100, sharp_above=-1)

    tags = _tags(data)
    assert tags["night.jpg"] == {"landscape", "sharp"}
    assert tags["located.jpg"] == {"square", "bright", "sharp", "has GPS"}


def test_a_wrong_parameter_fails_the_job(client: Client, datalake: Datalake, tmp_path: Path) -> None:
    """Its error names the parameter and those that there are; no data is tagged."""
    _save_photos(tmp_path)
    data = _upload(datalake, tmp_path)

    job = _tag(client, datalake, data, darkness=5)

    assert job.status == JobStatus.FAILED
    assert job.error is not None
    assert "darkness=5" in job.error
    assert "dark_below" in job.error
    assert set().union(*_tags(data).values()) == set()


def test_one_that_is_no_image_is_named_and_left(client: Client, datalake: Datalake, tmp_path: Path) -> None:
    """The others are tagged, and the job succeeds; a video is none of its business."""
    expected = _save_photos(tmp_path)
    (tmp_path / "broken.jpg").write_text("words")
    (tmp_path / "cut.png").write_bytes((tmp_path / "stripes.png").read_bytes()[:800])
    (tmp_path / "clip.mp4").write_bytes(b"frames")
    data = _upload(datalake, tmp_path)

    job = _tag(client, datalake, data)

    assert job.status == JobStatus.SUCCEEDED
    assert _tags(data) == {**expected, "broken.jpg": set(), "cut.png": set(), "clip.mp4": set()}
    lines = job.log_tail()
    for name in ("broken.jpg", "cut.png"):
        assert [line for line in lines if line.startswith(f"{name}: ")]


def test_without_any_image_the_job_fails(client: Client, datalake: Datalake, tmp_path: Path) -> None:
    """There was nothing that it could do."""
    (tmp_path / "broken.jpg").write_text("words")

    assert _tag(client, datalake, _upload(datalake, tmp_path)).status == JobStatus.FAILED


def test_sample_photos_differ(client: Client, datalake: Datalake, tmp_path: Path) -> None:
    """The photos of the demo show every tag but `square`, and each tag on some of them only."""
    make_photos(tmp_path, 12)
    data = _upload(datalake, tmp_path)
    _tag(client, datalake, data)

    counts: dict[str, int] = {}
    for tags in _tags(data).values():
        for tag in tags:
            counts[tag] = counts.get(tag, 0) + 1
    assert set(counts) == {"landscape", "portrait", "dark", "bright", "sharp", "blurry", "has GPS"}
    assert max(counts.values()) < len(data)
