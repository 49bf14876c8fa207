"""Thumbnails, which the lake makes by itself."""

import struct
from io import BytesIO
from typing import Any

from PIL import Image

from tests.lake_process import LakeProcess
from tests.videos import make_video
from tests.wire.job_calls import finished, wait_for
from tests.wire.lake_api import LakeApi

ORIENTATION = 0x0112
X_RESOLUTION = 0x011A


def _photo(width: int, height: int, orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif.update({ORIENTATION: orientation, X_RESOLUTION: 72})
    file = BytesIO()
    Image.new("RGB", (width, height), "red").save(file, "JPEG", exif=exif)
    return file.getvalue()


def _thumbnail(api: LakeApi, data_id: str) -> dict[str, Any]:
    """Return the thumbnail of a data, once there is one."""
    found = wait_for(lambda: api.get(f"/api/data/{data_id}/projections").json()["items"])
    assert [each["name"] for each in found] == ["thumbnail"]
    thumbnail: dict[str, Any] = found[0]
    return thumbnail


def test_a_video_gets_a_thumbnail_of_its_first_picture(api: LakeApi) -> None:
    """Turned as it is displayed; and what no thumbnail can be made of keeps none."""
    content = make_video(size=(1280, 720), frames=2, rotation=-90)
    data = api.register(
        "a.mp4", api.upload("a.mp4", content, "video/mp4"), type="VIDEO", content_type="video/mp4"
    ).json()["id"]

    made = _thumbnail(api, data)

    with Image.open(BytesIO(api.http.get(made["presigned_url"], timeout=30).content)) as image:
        assert (image.format, image.size) == ("JPEG", (288, 512))
        red, green, _ = image.getpixel((280, 8))  # type: ignore[misc] # RGB
        assert red > green + 100
    listed = api.get(f"/api/datalake/{api.datalake}/thumbnails", params={"id": data}).json()
    assert set(listed["items"]) == {data}


def test_an_image_gets_a_thumbnail_turned_as_it_is_displayed(api: LakeApi, lake: LakeProcess) -> None:
    """A JPEG of at most 512 pixels a side, a projection of that name; it goes with its data."""
    data = api.register("a.jpg", api.upload("a.jpg", _photo(2000, 1000, orientation=6))).json()["id"]

    made = _thumbnail(api, data)

    with Image.open(BytesIO(api.http.get(made["presigned_url"], timeout=30).content)) as image:
        assert (image.format, image.size) == ("JPEG", (256, 512))
    assert (made["width"], made["height"], made["content_type"]) == (256, 512, "image/jpeg")
    assert (lake.objects / made["object_name"]).stat().st_size == made["file_size"]
    api.call("DELETE", f"/api/data/{data}")
    assert not (lake.objects / made["object_name"]).exists()


def test_an_image_whose_pixels_are_broken_gets_none_and_holds_up_no_other(api: LakeApi) -> None:
    """Its header was fine, so it is DONE."""
    broken = api.register("a.jpg", api.upload("a.jpg", _photo(600, 600)[:-2000])).json()["id"]
    whole = api.register("b.jpg", api.upload("b.jpg", _photo(600, 600))).json()["id"]

    _thumbnail(api, whole)

    assert api.get(f"/api/data/{broken}").json()["upload_status"] == "DONE"
    assert api.get(f"/api/data/{broken}/projections").json()["items"] == []


def test_a_photo_whose_exif_is_mistyped_holds_up_no_other(api: LakeApi) -> None:
    """A resolution as text spoils the turning of it; the next photo gets its thumbnail."""
    fraction, text = (struct.pack(">HHL", X_RESOLUTION, type_, 1) for type_ in (5, 2))
    photo = _photo(600, 400, orientation=6).replace(fraction, text)
    mistyped = api.register("a.jpg", api.upload("a.jpg", photo)).json()["id"]
    whole = api.register("b.jpg", api.upload("b.jpg", _photo(600, 400))).json()["id"]

    _thumbnail(api, whole)

    assert api.get(f"/api/data/{mistyped}").json()["upload_status"] == "DONE"
    assert api.get(f"/api/data/{mistyped}/projections").json()["items"] == []


def test_where_a_thumbnail_cannot_be_kept_there_is_none_until_it_can(own_lake: LakeProcess) -> None:
    """A file named ``projections`` is in its way; what is uploaded once that is gone gets its thumbnail."""
    api = LakeApi(own_lake)
    (own_lake.objects / "projections").write_bytes(b"in the way")
    first = api.register("a.jpg", api.upload("a.jpg", _photo(60, 40))).json()["id"]
    wait_for(lambda: f"data {first} gets no thumbnail" in own_lake.log)
    (own_lake.objects / "projections").unlink()

    _thumbnail(api, api.register("b.jpg", api.upload("b.jpg", _photo(60, 40))).json()["id"])

    assert api.get(f"/api/data/{first}/projections").json()["items"] == []


def test_thumbnails_are_not_imported_and_imports_get_none(own_lake: LakeProcess) -> None:
    """Though they lie in the bucket. Of an imported image only the header is read, for it may be one of millions."""
    api = LakeApi(own_lake)
    path, everything = f"/api/datalake/{api.datalake}", {"prefixes": [""], "tag_ids": []}
    (own_lake.objects / "a.jpg").write_bytes(_photo(20, 10))
    imported = finished(api, api.post(f"{path}/objects", everything).json()["job"]["id"])
    uploaded = api.register("b.jpg", api.upload("b.jpg", _photo(20, 10))).json()["id"]
    # They are made in the order in which the data came.
    _thumbnail(api, uploaded)

    again = finished(api, api.post(f"{path}/objects", everything).json()["job"]["id"])

    first = api.get(f"{path}/datas/find", params={"filename": "a.jpg"}).json()["id"]
    assert imported["progress"]["imported"] == 1
    assert api.get(f"/api/data/{first}/projections").json()["items"] == []
    assert again["progress"]["imported"] == 0
    api.call("DELETE", f"/api/data/{first}")
    assert (own_lake.objects / "a.jpg").exists()
