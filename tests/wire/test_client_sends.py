"""The client sends what the reference client sent for the same calls."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image

from airflow_provider_lake.client import Client, Data, Datalake, ErrorManager, MultiData
from airflow_provider_lake.client.transfers.storage import PART_SIZE
from tests.wire.replay import RECORDED, TOKEN, id_of, replayed

CONNECT = [0, 1, 2]
# Ours does not ask how to name an object before it has looked at the file, which was missing.
SPARED = [17]


class Talk(NamedTuple):
    """A piece of the recording.

    :param speak: the calls of our client.
    :param numbers: lines, from 0, of what it is to send beyond connecting.
    """

    speak: Callable[[Client, Datalake, Path], None]
    numbers: list[int]


def _image(path: Path, exif: Image.Exif | None = None) -> Path:
    Image.new("RGB", (64, 48)).save(path, exif=exif)
    return path


def _data(lake: Datalake) -> Data:
    return lake.find_data(id=id_of("data_a.jpg"))


def _tags(client: Client, lake: Datalake, _folder: Path) -> None:
    assert client.list_datalakes() == [lake]
    car = lake.create_data_tag("car")
    assert lake.get_data_tag("car") == car
    van = lake.get_or_create_data_tag("van")
    assert lake.list_data_tags(limit=10) == [car, van]


def _upload_one(_client: Client, lake: Datalake, folder: Path) -> None:
    exif = Image.Exif()
    exif.update({0x0112: 6, 0x0132: "2024:05:06 07:08:09", 0x011A: 72.0, 0x0128: 2, 0x010F: "ACME"})
    lake.upload_data(
        _image(folder / "a.jpg", exif=exif),
        tags=["car", lake.get_or_create_data_tag("van")],
        source="cam-1",
        metadata={"longitude": 1.5, "latitude": 2.5},
        custom_metadata={"k": 1},
        fill_metadata=True,
    )


def _upload_several(_client: Client, lake: Datalake, folder: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    errors = ErrorManager()
    paths = [_image(folder / "b.jpg", exif=exif), folder / "missing.jpg", _image(folder / "c.png")]
    data = lake.upload_data(
        paths, tags=[lake.get_data_tag("car")], error_manager=errors, metadata=[{"reference": "r1"}, {}, {}]
    )
    assert isinstance(data, MultiData)
    assert [each.filename for each in data] == ["b.jpg", "c.png"]
    assert [error.path for error in errors.errors] == [str(folder / "missing.jpg")]


def _upload_large(_client: Client, lake: Datalake, folder: Path) -> None:
    large = folder / "big.mp4"
    with large.open("wb") as file:
        file.truncate(PART_SIZE + 2**20)
    lake.upload_data(large)


def _find(_client: Client, lake: Datalake, _folder: Path) -> None:
    data = lake.find_data(filename="a.jpg")
    assert lake.find_data(id=data.id) == data
    assert lake.find_data(object_name=data.object_name) == data


def _list(_client: Client, lake: Datalake, _folder: Path) -> None:
    data = _data(lake)
    lake.list_data()
    lake.list_data(tags=["car", "van"])
    lake.list_data(tags=["car", "van"], intersect_tags=True, q='filename = "a.jpg"', limit=2, offset=0)
    lake.list_data(order_by=["-created_at"], limit=1)
    lake.list_data(filenames=["a.jpg"])
    lake.list_data(ids=[data.id])
    lake.list_data(object_names=[data.object_name])
    lake.list_data(custom_metadata={"k": 1})


def _projections(_client: Client, lake: Datalake, folder: Path) -> None:
    data = _data(lake)
    path = _image(folder / "p.png")
    # The recorded file's size is part of the request.
    path.write_bytes(path.read_bytes().ljust(137))
    projection = lake.create_projection(data, "view", path, {"x": 1})
    assert data.list_projections() == [projection]


def _import(client: Client, lake: Datalake, _folder: Path) -> None:
    job = lake.import_bucket_objects(["cams/2024/"], tags=["car"], source="cam-2")
    assert job.wait_for_done(blocking_time_increment=0) == job
    assert client.get_job_by_id(job.id) == job


def _processing(client: Client, lake: Datalake, _folder: Path) -> None:
    created = client.create_processing("auto", "DATALAKE", 1, 0, {"a": 1}, "img", "latest")
    processing = client.get_processing("auto")
    assert processing == created
    first, second = lake.list_data(limit=2)
    lake.launch_processing(processing, [second, first], {"a": 2}, 2, 0).wait_for_done(blocking_time_increment=0)


def _change(_client: Client, lake: Datalake, _folder: Path) -> None:
    data = _data(lake)
    tags = [lake.get_data_tag("car"), lake.get_or_create_data_tag("van")]
    data.add_tags(tags)
    data.remove_tags(tags)
    data.update_metadata({"longitude": 3.0, "latitude": 4.0})
    assert data.update_custom_metadata({"k": 2}).custom_metadata == {"k": 2}
    data.refresh()
    assert data.reset_url() == data.url


def _download_and_delete(_client: Client, lake: Datalake, folder: Path) -> None:
    first, *images, video = lake.list_data()
    paths = MultiData([first, *images]).download(folder)
    assert [path.name for path in paths] == ["a.jpg", "b.jpg", "c.png"]
    MultiData(images).delete()
    video.delete()


def _cloud_objects(_client: Client, lake: Datalake, _folder: Path) -> None:
    lake.import_cloud_objects({"cams/x.jpg": {"custom_metadata": {"z": 1}, "tags": ["car"]}})
    lake.import_cloud_projections({"cams/x.jpg": [{"name": "v", "object_name": "cams/y.jpg"}]})
    lake.update_multiple_data({_data(lake).id: {"tags": ["car"]}})


TALKS = {
    "tags": Talk(_tags, [3, 4, 5, 6, 7, 8]),
    "upload one": Talk(_upload_one, [6, 7, 9, 10, 11, 12, 13, 14, 15]),
    "upload several": Talk(_upload_several, [5, 16, 18, 19, 20, 21, 22, 23, 24]),
    "upload large": Talk(_upload_large, [25, 26, 27, 28, 29, 30, 31, 32]),
    "find": Talk(_find, [33, 34, 35]),
    "list": Talk(_list, [34, 36, 37, 38, 39, 40, 41, 42, 43]),
    "projections": Talk(_projections, [34, 44, 45, 46, 47, 48]),
    "import": Talk(_import, [49, 50, 51, 52, 53, 54, 55, 56]),
    "processing": Talk(_processing, [57, 58, 59, 60, 61, 62, 63]),
    "change": Talk(_change, [5, 6, 7, 34, 64, 65, 66, 67, 68, 69, 70, 71, 72]),
    "download and delete": Talk(_download_and_delete, [36, 73, 74, 75, 79, 80]),
    "cloud objects": Talk(_cloud_objects, [34, 76, 77, 78]),
}


@pytest.mark.parametrize("name", TALKS)
def test_the_same_calls_send_the_same_requests(name: str, tmp_path: Path) -> None:
    """Method, path, query, body and identity are those of the recording; nothing else is sent, and nothing twice."""
    talk = TALKS[name]
    with replayed([*CONNECT, *talk.numbers]) as replay, Client(TOKEN, host=replay.url) as client:
        talk.speak(client, client.get_datalake(), tmp_path)

    assert replay.unexpected == []
    assert replay.left == []


def test_every_recorded_exchange_is_covered() -> None:
    """No exchange of the recording is left out silently."""
    covered = {*CONNECT, *SPARED, *(number for talk in TALKS.values() for number in talk.numbers)}

    assert covered == set(range(len(RECORDED)))
