"""What the platform's published client uploads to the embedded lake, and what it reads, changes and deletes there."""

from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image
from PIL.ExifTags import Base

from tests.lake_process import LakeProcess
from tests.videos import large_video
from tests.wire.published_client import MultiData, connect, picsellia, real_photos, upload

MIB = 2**20


@pytest.fixture(scope="module")
def datalake(lake: LakeProcess) -> picsellia.Datalake:
    """Return the default datalake, as the published client sees it."""
    return connect(lake).get_datalake()


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    """Make three images, with file names of their own."""
    folder = tmp_path / "images"
    folder.mkdir()
    paths = [folder / f"{uuid4()}.jpg" for _ in range(3)]
    for number, path in enumerate(paths):
        Image.new("RGB", (60 + number, 40), (number, 90, 0)).save(path)
    return paths


@pytest.fixture
def data(datalake: picsellia.Datalake, images: list[Path]) -> MultiData:
    """Upload the images."""
    uploaded = upload(datalake, images)
    uploaded.sort(key=lambda each: images.index(next(path for path in images if path.name == each.filename)))
    return uploaded


def _bytes_of(data: picsellia.Data, folder: Path) -> bytes:
    """Return what it downloads."""
    data.download(folder, use_id=True)
    return folder.joinpath(data.id_with_extension).read_bytes()


@pytest.mark.quick
def test_one_file(datalake: picsellia.Datalake, images: list[Path], tmp_path: Path) -> None:
    """Everything that goes along with a file is kept, and the bytes come back equal."""
    tag, source = datalake.create_data_tag(f"tag {uuid4()}"), f"source {uuid4()}"
    (data,) = upload(
        datalake,
        images[:1],
        tags=[tag, f"new {tag.name}"],
        source=source,
        metadata={"reference": "r 1", "latitude": 47.5, "longitude": 10.75},
        custom_metadata={"lot": 7, "parts": ["a", "b"]},
    )

    assert (data.filename, data.type.value, data.content_type) == (images[0].name, "IMAGE", "image/jpeg")
    assert (data.width, data.height, data.upload_status.value) == (60, 40, "DONE")
    assert {each.name for each in data.get_tags()} == {tag.name, f"new {tag.name}"}
    assert data.get_datasource().name == source
    assert data.metadata == {"reference": "r 1", "latitude": 47.5, "longitude": 10.75}
    assert data.custom_metadata == {"lot": 7, "parts": ["a", "b"]}
    assert _bytes_of(data, tmp_path) == images[0].read_bytes()


def test_several_files(datalake: picsellia.Datalake, images: list[Path], tmp_path: Path) -> None:
    """Each has its own metadata and its own bytes."""
    uploaded = upload(
        datalake,
        images,
        metadata=[{"reference": path.name} for path in images],
        custom_metadata=[{"name": path.name} for path in images],
        max_workers=2,
    )

    assert sorted(each.filename for each in uploaded) == sorted(path.name for path in images)
    for each in uploaded:
        assert each.metadata == {"reference": each.filename}
        assert each.custom_metadata == {"name": each.filename}
        assert _bytes_of(each, tmp_path) == (images[0].parent / each.filename).read_bytes()


def test_metadata_filled_from_the_exif(datalake: picsellia.Datalake, tmp_path: Path) -> None:
    """What the caller gives wins."""
    exif = Image.Exif()
    exif[Base.Make], exif[Base.Artist], exif[Base.DateTime] = "Ostra", "Ada", "2026:05:04 07:30:00"
    exif[Base.XResolution], exif[Base.YResolution], exif[Base.ResolutionUnit] = 300.0, 300.0, 2
    Image.new("RGB", (6, 4)).save(tmp_path / "a.jpg", exif=exif)

    (data,) = upload(datalake, [tmp_path / "a.jpg"], fill_metadata=True, metadata={"acquired_by": "Grace"})

    assert data.metadata == {
        "acquired_at": "2026-05-04T07:30:00",
        "acquired_by": "Grace",
        "manufacturer": "Ostra",
        "resolution_unit": "inches",
        "resolution_x": 300.0,
        "resolution_y": 300.0,
    }


def test_a_folder_of_ones_own(datalake: picsellia.Datalake, images: list[Path], tmp_path: Path) -> None:
    """The object name begins with it."""
    (data,) = upload(datalake, images[:1], upload_dir="line 3/night")

    assert data.object_name.startswith("line 3/night/")
    assert _bytes_of(data, tmp_path) == images[0].read_bytes()


def test_a_file_of_more_than_one_part(datalake: picsellia.Datalake, tmp_path: Path) -> None:
    """Above 25 MiB a file goes up in parts, the last one a rest; its bytes come back equal."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(large_video(60 * MIB + 1))

    (data,) = upload(datalake, [path])

    assert (data.type.value, data.content_type) == ("VIDEO", "video/mp4")
    assert _bytes_of(data, tmp_path / "back") == path.read_bytes()


def test_the_size_of_what_it_cannot_open(datalake: picsellia.Datalake, tmp_path: Path) -> None:
    """The caller's size is replaced by what the lake sees in the file."""
    path = tmp_path / "a.webp"
    Image.new("RGB", (30, 20)).save(path)

    (data,) = upload(datalake, [path], sizes=(3, 2))

    assert (data.width, data.height) == (30, 20)


def test_a_file_that_is_no_image(datalake: picsellia.Datalake, tmp_path: Path) -> None:
    """It is taken in, and then reported as one that cannot be processed; the client waits for that by itself."""
    path = tmp_path / f"{uuid4()}.jpg"
    path.write_text("words")

    with pytest.raises(picsellia.exceptions.UnprocessableData):
        datalake.upload_data(path)
    assert datalake.find_data(filename=path.name).upload_status.value == "ERROR"


def test_a_missing_file_among_others(datalake: picsellia.Datalake, images: list[Path], tmp_path: Path) -> None:
    """The error manager has the error of that one; the others are data."""
    errors = picsellia.ErrorManager()
    uploaded = upload(datalake, [*images, tmp_path / "missing.jpg"], error_manager=errors)

    assert len(uploaded) == 3
    assert [error.path for error in errors.errors] == [tmp_path / "missing.jpg"]


def test_wrong_metadata_is_an_error(datalake: picsellia.Datalake, images: list[Path]) -> None:
    """The lake's answer reaches the caller's error manager."""
    errors = picsellia.ErrorManager()
    with pytest.raises(picsellia.exceptions.NothingDoneError):
        upload(datalake, images[:1], error_manager=errors, metadata={"latitude": 47.5})

    assert "longitude" in str(errors.errors[0].parent)


# Photos of real cameras belong to those who took them, and are no part of this repository.
@pytest.mark.skipif(not real_photos(), reason="there is no folder of real photos beside this checkout")
def test_real_photos(datalake: picsellia.Datalake, tmp_path: Path) -> None:
    """40 photos of many cameras, in all orientations: bytes and displayed size come back."""
    photos = real_photos()
    uploaded = upload(datalake, photos, fill_metadata=True)
    uploaded.download(tmp_path)

    assert len(uploaded) == len(photos) == 40
    for photo in photos:
        assert (tmp_path / photo.name).read_bytes() == photo.read_bytes()
    for each in uploaded:
        if each.filename.startswith("orientation_"):
            assert (each.width > each.height) == ("landscape" in each.filename)


def test_data_is_found(datalake: picsellia.Datalake, data: MultiData) -> None:
    """By each of the three names that it has, and by all of them."""
    first = data[0]

    assert datalake.find_data(filename=first.filename) == first
    assert datalake.find_data(object_name=first.object_name) == first
    assert datalake.find_data(id=str(first.id)) == first
    assert datalake.find_data(first.filename, first.object_name, first.id) == first


def test_data_that_is_not_there_or_there_twice(datalake: picsellia.Datalake, images: list[Path]) -> None:
    """One that is not there is not found, one of several cannot be told."""
    with pytest.raises(picsellia.exceptions.ResourceNotFoundError, match=r"missing\.jpg"):
        datalake.find_data(filename="missing.jpg")
    upload(datalake, images[:1])
    upload(datalake, images[:1])
    with pytest.raises(picsellia.exceptions.BadRequestError, match=images[0].name):
        datalake.find_data(filename=images[0].name)


def test_data_is_listed(datalake: picsellia.Datalake, data: MultiData) -> None:
    """Each way to select data, and the ways together."""
    first, second, third = data
    lot = {"lot": str(uuid4())}
    first.update_custom_metadata(lot)
    second.update_custom_metadata(lot)

    assert set(data.ids) <= set(datalake.list_data().ids)
    assert set(datalake.list_data(ids=[first.id, str(second.id)]).ids) == {first.id, second.id}
    assert datalake.list_data(filenames=[third.filename]).ids == [third.id]
    assert datalake.list_data(object_names=[third.object_name]).ids == [third.id]
    assert set(datalake.list_data(custom_metadata=lot).ids) == {first.id, second.id}
    assert datalake.list_data(ids=data.ids, custom_metadata=lot, q=f'filename = "{second.filename}"').ids == [second.id]
    assert datalake.list_data(q=f'filename in ("{third.filename}") and meta.width >= 62').ids == [third.id]
    assert datalake.list_data(ids=data.ids, order_by=["-meta.width"]).ids == [third.id, second.id, first.id]
    assert datalake.list_data(custom_metadata=lot, order_by=["filename"], limit=1, offset=1, page_size=1).ids == [
        max((first, second), key=lambda each: each.filename).id
    ]
    assert len(datalake.list_data(limit=2)) == 2
    assert len(datalake.list_data(custom_metadata=lot, offset=1)) == 1


def test_a_wrong_query_is_refused(datalake: picsellia.Datalake) -> None:
    """The message says where it is wrong."""
    with pytest.raises(picsellia.exceptions.BadRequestError, match="colour"):
        datalake.list_data(q='colour = "red"')


def test_metadata_is_replaced(data: MultiData) -> None:
    """By a new one, and by none."""
    first = data[0]

    first.update_metadata({"weather": "rain"})
    first.update_custom_metadata({"lot": 8})
    first.sync()
    assert (first.metadata, first.custom_metadata) == ({"weather": "rain"}, {"lot": 8})
    first.update_metadata(None)
    first.update_custom_metadata(None)
    first.sync()
    assert (first.metadata, first.custom_metadata) == (None, None)


def test_several_data_are_changed_at_once(datalake: picsellia.Datalake, data: MultiData) -> None:
    """Metadata, custom metadata, tags and source of each; the lake makes tags and sources that are missing."""
    tag, source = f"tag {uuid4()}", f"source {uuid4()}"
    changes = picsellia.CloudObject(
        metadata={"reference": "XYZ1"}, custom_metadata={"value": 10}, tags=[tag], data_source=source
    )
    datalake.update_multiple_data({data[0].id: changes, data[1].id: {"tags": [tag]}})

    changed = datalake.find_data(id=data[0].id)
    assert (changed.metadata, changed.custom_metadata) == ({"reference": "XYZ1"}, {"value": 10})
    assert changed.get_datasource().name == source
    assert set(datalake.list_data(tags=tag).ids) == {data[0].id, data[1].id}


def test_downloads(data: MultiData, images: list[Path], tmp_path: Path) -> None:
    """One or many, by filename or by id; a file that is there stays unless it shall be replaced."""
    data.download(tmp_path, max_workers=2)
    for path in images:
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()

    (tmp_path / images[0].name).write_text("mine")
    data[0].download(tmp_path)
    assert (tmp_path / images[0].name).read_text() == "mine"
    data[0].reset_url()
    data[0].download(tmp_path, force_replace=True)
    assert (tmp_path / images[0].name).read_bytes() == images[0].read_bytes()


def test_deleted_data_is_gone(datalake: picsellia.Datalake, data: MultiData) -> None:
    """One alone, and the rest at once."""
    ids = list(data.ids)
    data[0].delete()
    assert set(datalake.list_data(ids=ids).ids) == set(ids[1:])
    data[1:].delete()
    with pytest.raises(picsellia.exceptions.NoDataError):
        datalake.list_data(ids=ids)
