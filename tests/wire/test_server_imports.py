"""Imports on a real lake: what lies in the bucket becomes data."""

import os
import signal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from tests.lake_process import LakeProcess
from tests.videos import make_video
from tests.wire.job_calls import finished, get_job, photo, wait_for
from tests.wire.lake_api import LakeApi


@pytest.fixture
def folder(lake: LakeProcess) -> Path:
    """Make a folder of one test's own in the bucket."""
    path = lake.objects / f"test-{uuid4()}"
    path.mkdir(parents=True)
    return path


def start(api: LakeApi, **body: Any) -> dict[str, Any]:
    """Start an import, and return its job."""
    answer = api.post(f"/api/datalake/{api.datalake}/objects", {"datalake_id": api.datalake, **body})
    assert answer.status_code == 200, answer.text
    assert answer.json()["datalake"]["id"] == api.datalake
    job: dict[str, Any] = answer.json()["job"]
    return job


def run(api: LakeApi, **body: Any) -> dict[str, Any]:
    """Run an import, and return how far it came."""
    job = finished(api, start(api, **body)["id"])
    assert (job["type"], job["status"], job["error"]) == ("IMPORT", "SUCCEEDED", None)
    progress: dict[str, Any] = job["progress"]
    return progress


def counts(progress: dict[str, Any]) -> tuple[int, ...]:
    """Return total, done, imported, skipped, failed."""
    return tuple(progress[name] for name in ("total", "done", "imported", "skipped", "failed"))


def find(api: LakeApi, object_name: str) -> dict[str, Any]:
    """Find a data by its object name."""
    data: dict[str, Any] = api.get(
        f"/api/datalake/{api.datalake}/datas/find", params={"object_name": object_name}
    ).json()
    return data


def count(api: LakeApi, prefix: str) -> int:
    """Count the data whose object names begin with a prefix."""
    query = {"q": f'object_name startswith "{prefix}"', "limit": 1}
    return int(api.get(f"/api/datalake/{api.datalake}/datas", params=query).json()["count"])


def test_a_prefix_becomes_data_with_tags_and_source(api: LakeApi, folder: Path) -> None:
    """Images of all folders below it and video by name; other files do not count, a corrupt image is named."""
    for number in range(300):
        path = folder / f"cam-{number % 3}" / f"{number:03}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(photo(8 + number % 5, 6))
    (folder / "corrupt.png").write_bytes(b"this is no image")
    (folder / "empty.webp").touch()
    (folder / "clip.mp4").write_bytes(make_video(rotation=90))
    (folder / "notes.txt").write_text("not imported")
    tag = api.post(f"/api/datalake/{api.datalake}/tags", {"name": f"tag-{uuid4()}"}).json()
    source = api.post(f"/api/organization/{api.organization}/datasources", {"name": f"source-{uuid4()}"}).json()

    progress = run(api, prefixes=[f"{folder.name}/"], tag_ids=[tag["id"]], data_source_id=source["id"])

    assert counts(progress) == (303, 303, 301, 0, 2)
    assert progress["failures"] == [
        {"object_name": f"{folder.name}/corrupt.png", "reason": "not an image of a known format"},
        {"object_name": f"{folder.name}/empty.webp", "reason": "the file is empty"},
    ]
    assert count(api, f"{folder.name}/") == 301
    data = find(api, f"{folder.name}/cam-2/002.jpg")
    assert (data["filename"], data["type"], data["content_type"]) == ("002.jpg", "IMAGE", "image/jpeg")
    assert (data["upload_status"], data["meta"]) == ("DONE", {"width": 10, "height": 6})
    assert data["file_size"] == (folder / "cam-2" / "002.jpg").stat().st_size
    assert ([each["id"] for each in data["tags"]], data["data_source"]["id"]) == ([tag["id"]], source["id"])
    clip = find(api, f"{folder.name}/clip.mp4")
    assert (clip["type"], clip["content_type"], clip["upload_status"]) == ("VIDEO", "video/mp4", "DONE")
    assert clip["meta"] == {"width": 48, "height": 64, "duration": 2.0, "frame_rate": 10.0, "codec": "mpeg4"}
    assert clip["metadata"] == {"compression": "mpeg4"}


def test_exif_becomes_metadata(api: LakeApi, folder: Path) -> None:
    """Under the platform's keys, with the position; width and height are those of the displayed image."""
    exif = Image.Exif()
    exif[Base.Orientation] = 6
    exif[Base.DateTime] = "2024:05:06 07:08:09"
    exif[Base.Make] = "ACME\0"
    exif[Base.Artist] = "Ann"
    exif[Base.XResolution] = 72.0
    exif[Base.ResolutionUnit] = 2
    exif.get_ifd(IFD.GPSInfo).update(
        {
            GPS.GPSLatitudeRef: "S",
            GPS.GPSLatitude: (48.0, 30.0, 36.0),
            GPS.GPSLongitudeRef: "E",
            GPS.GPSLongitude: (2.0, 15.0, 0.0),
            GPS.GPSAltitudeRef: b"\x00",
            GPS.GPSAltitude: 35.5,
        }
    )
    (folder / "a.jpg").write_bytes(photo(8, 6, exif))

    run(api, prefixes=[folder.name])
    data = find(api, f"{folder.name}/a.jpg")

    assert data["meta"] == {"width": 6, "height": 8}
    assert data["metadata"] == {
        "acquired_at": "2024-05-06T07:08:09",
        "acquired_by": "Ann",
        "resolution_x": 72.0,
        "resolution_unit": "inches",
        "manufacturer": "ACME",
        "latitude": -48.51,
        "longitude": 2.25,
        "altitude": 35.5,
    }


def test_what_is_data_already_stays_as_it_is(api: LakeApi, folder: Path) -> None:
    """A second import skips it and takes what is new; prefixes that overlap count each object once."""
    (folder / "a.jpg").write_bytes(photo())
    first = run(api, prefixes=[f"{folder.name}/"])
    (folder / "b.jpg").write_bytes(photo())

    second = run(api, prefixes=[f"{folder.name}/", f"{folder.name}/b", folder.name, f"{folder.name}/"])

    assert counts(first) == (1, 1, 1, 0, 0)
    assert counts(second) == (2, 2, 1, 1, 0)
    assert count(api, f"{folder.name}/") == 2


def test_files_with_names_that_no_object_has_are_named(api: LakeApi, folder: Path) -> None:
    """Each is a failure with its reason; the files beside them are imported. What is no file does not count."""
    for name in (b"line\nfeed.jpg", b"back\\slash.jpg", b"z-not-utf-8-\xff.jpg", "a é ü #?.jpg".encode()):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(photo())
    os.mkfifo(folder / "pipe.jpg")
    (folder / "link.jpg").symlink_to(__file__)

    progress = run(api, prefixes=[f"{folder.name}/"])

    assert counts(progress) == (4, 4, 1, 0, 3)
    assert {failure["object_name"].removeprefix(f"{folder.name}/") for failure in progress["failures"]} == {
        "line\nfeed.jpg",
        "back\\slash.jpg",
        "z-not-utf-8-?.jpg",
    }
    assert find(api, f"{folder.name}/a é ü #?.jpg")["upload_status"] == "DONE"


def test_an_import_leaves_alone_what_is_being_uploaded(own_lake: LakeProcess) -> None:
    """Between its upload and its registration an object belongs to its uploader, whose tags are kept."""
    api = LakeApi(own_lake)
    object_name = api.upload("a.jpg", photo())

    tag = api.post(f"/api/datalake/{api.datalake}/tags", {"name": "mine"}).json()["id"]

    progress = run(api, prefixes=[""])
    registered = api.register("a.jpg", object_name, tags=[tag])

    assert counts(progress) == (1, 1, 0, 1, 0)
    assert registered.status_code == 201
    assert [tag["name"] for tag in find(api, object_name)["tags"]] == ["mine"]


def test_a_prefix_without_objects_is_no_failure(api: LakeApi) -> None:
    """The job has succeeded with a total of 0."""
    assert counts(run(api, prefixes=[f"nothing-{uuid4()}/"])) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize("prefix", ["/etc", "../", "a/../../b", "a//b", "a\0b", "a\\b", "x" * 1025])
def test_a_prefix_that_no_object_can_have_is_refused(api: LakeApi, prefix: str) -> None:
    """At once, with no job."""
    answer = api.post(f"/api/datalake/{api.datalake}/objects", {"prefixes": ["fine/", prefix]})

    assert (answer.status_code, "message" in answer.json()) == (400, True)


@pytest.mark.parametrize("body", [{}, {"prefixes": []}, {"prefixes": ["a"], "objects": {"a.jpg": {}}}, {"objects": {}}])
def test_an_import_takes_prefixes_or_objects(api: LakeApi, body: dict[str, Any]) -> None:
    """Just one of them, and at least one entry of it."""
    assert api.post(f"/api/datalake/{api.datalake}/objects", body).status_code in {400, 422}


def test_unknown_tags_and_sources_are_named(api: LakeApi) -> None:
    """No job is started for them."""
    unknown = str(uuid4())
    for body in ({"tag_ids": [unknown]}, {"data_source_id": unknown}):
        answer = api.post(f"/api/datalake/{api.datalake}/objects", {"prefixes": ["a/"], **body})

        assert (answer.status_code, unknown in answer.json()["message"]) == (400, True)


def test_named_objects_become_data_as_they_are_described(api: LakeApi, folder: Path) -> None:
    """With metadata beside that of EXIF, and with tags and a source that are created where they are missing."""
    exif = Image.Exif()
    exif[Base.Make], exif[Base.Artist] = "ACME", "Ann"
    (folder / "a.jpg").write_bytes(photo(exif=exif))
    (folder / "b.txt").write_text("text")
    name = str(uuid4())
    described: dict[str, Any] = {
        "metadata": {"manufacturer": "Other", "latitude": 1.0, "longitude": 2.0},
        "custom_metadata": {"k": 1},
        "tags": [f"tag-{name}", f"other-{name}"],
        "data_source": f"source-{name}",
    }

    objects = {f"{folder.name}/a.jpg": described, f"{folder.name}/b.txt": {}, f"{folder.name}/c.jpg": {}}
    progress = run(api, objects=objects)
    data = find(api, f"{folder.name}/a.jpg")

    assert counts(progress) == (3, 3, 1, 0, 2)
    assert progress["failures"] == [
        {"object_name": f"{folder.name}/b.txt", "reason": "its name says neither image nor video"},
        {"object_name": f"{folder.name}/c.jpg", "reason": "there is no such object"},
    ]
    assert data["metadata"] == described["metadata"] | {"manufacturer": "Other", "acquired_by": "Ann"}
    assert data["custom_metadata"] == {"k": 1}
    assert {tag["name"] for tag in data["tags"]} == set(described["tags"])
    assert data["data_source"]["name"] == described["data_source"]


def test_projections_are_imported_once(api: LakeApi, folder: Path) -> None:
    """Beside data that exist; an unknown data is named, and a second import changes nothing."""
    (folder / "a.jpg").write_bytes(photo())
    (folder / "a-depth.tif").write_bytes(b"depth")
    run(api, prefixes=[f"{folder.name}/a.jpg"])
    projections = {
        f"{folder.name}/a.jpg": [{"name": "depth", "object_name": f"{folder.name}/a-depth.tif"}],
        f"{folder.name}/b.jpg": [{"name": "depth", "object_name": f"{folder.name}/a-depth.tif"}],
    }

    path = f"/api/datalake/{api.datalake}/objects/projections"
    jobs = [finished(api, api.post(path, {"projections": projections}).json()["job"]["id"]) for _ in range(2)]

    assert [counts(job["progress"]) for job in jobs] == [(2, 2, 1, 0, 1), (2, 2, 0, 1, 1)]
    assert jobs[0]["progress"]["failures"] == [
        {"object_name": f"{folder.name}/b.jpg", "reason": "there is no such data"}
    ]


def fill(lake: LakeProcess, prefix: str, number: int) -> None:
    """Put many names of one photo into the bucket."""
    folder = lake.objects / prefix
    folder.mkdir(parents=True)
    (folder / "0.jpg").write_bytes(photo())
    for each in range(1, number):
        os.link(folder / "0.jpg", folder / f"{each}.jpg")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_an_interrupted_import_goes_on_where_it_was(own_lake: LakeProcess, number: signal.Signals) -> None:
    """After the lake's restart, by itself: every object is data just once, and counted once."""
    fill(own_lake, "many", 5000)
    api = LakeApi(own_lake)
    job_id = start(api, prefixes=["many/"])["id"]
    wait_for(lambda: (get_job(api, job_id)["progress"] or {}).get("done"))

    own_lake.stop(number)
    own_lake.start()
    progress = finished(api, job_id)["progress"]

    assert counts(progress) == (5000, 5000, 5000, 0, 0)
    assert count(api, "many/") == 5000


def test_a_killed_import_stops(own_lake: LakeProcess) -> None:
    """What was imported stays; nothing comes after the kill was answered."""
    fill(own_lake, "many", 5000)
    api = LakeApi(own_lake)
    job_id = start(api, prefixes=["many/"])["id"]
    wait_for(lambda: (get_job(api, job_id)["progress"] or {}).get("done"))

    killed = api.post(f"/api/v2/job/{job_id}/kill").json()
    done = count(api, "many/")
    # The next import runs behind it, or beside it if it were still running.
    run(api, prefixes=["none/"])

    assert killed["status"] == "KILLED"
    assert 0 < done < 5000
    assert count(api, "many/") == done == get_job(api, job_id)["progress"]["done"]
