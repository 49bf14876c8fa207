"""Files become data of a real lake."""

from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from airflow_provider_lake.client import (
    Data,
    Datalake,
    ErrorManager,
    MultiData,
    NothingDoneError,
    UnprocessableDataError,
    UploadError,
    UploadFailedError,
    UploadStatus,
    UsageError,
)
from airflow_provider_lake.client.transfers.storage import PART_SIZE
from tests.lake_process import LakeProcess
from tests.videos import large_video


@pytest.fixture
def datalake(lake: LakeProcess) -> Datalake:
    """Return the lake's datalake."""
    return lake.client().get_datalake()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Make an image."""
    path = tmp_path / "image.jpg"
    Image.effect_noise((640, 480), 50).save(path)
    return path


@pytest.mark.quick
def test_a_file_becomes_a_data(datalake: Datalake, image: Path) -> None:
    """The bytes come back equal; name, kind, size, tags, source and metadata are those given."""
    tag, source = f"tag-{uuid4()}", f"source-{uuid4()}"
    data = datalake.upload_data(
        image, tags=[tag], source=source, metadata={"reference": "r 1"}, custom_metadata={"lot": 7}
    )

    assert isinstance(data, Data)
    assert data.read() == image.read_bytes()
    assert (data.filename, data.type, data.content_type) == ("image.jpg", "IMAGE", "image/jpeg")
    assert (data.width, data.height, data.file_size) == (640, 480, image.stat().st_size)
    assert data.upload_status == UploadStatus.DONE
    assert [each.name for each in data.tags] == [tag]
    assert data.data_source is not None
    assert data.data_source.name == source
    assert data.metadata == {"reference": "r 1"}
    assert data.custom_metadata == {"lot": 7}


def test_the_same_file_twice_is_two_data(datalake: Datalake, image: Path) -> None:
    """Object names, not filenames, tell data apart."""
    data = datalake.upload_data([image, image])

    assert isinstance(data, MultiData)
    assert len(set(data.ids)) == 2


def test_a_large_file_goes_in_parts(datalake: Datalake, tmp_path: Path) -> None:
    """Above 25 MiB the parts are put together to the same bytes."""
    path = tmp_path / "large.mp4"
    path.write_bytes(large_video(PART_SIZE + 4))
    assert path.stat().st_size > PART_SIZE
    data = datalake.upload_data(path)

    assert isinstance(data, Data)
    assert (data.type, data.codec) == ("VIDEO", "mpeg4")
    assert data.file_size == path.stat().st_size
    assert data.read() == path.read_bytes()


@pytest.mark.parametrize(
    "name", ["zwei wörter.jpg", 'quo"te.jpg', "percent%20.jpg", "日本.jpg", "a+b&c=d.jpg", "x" * 200]
)
def test_any_filename_is_kept(datalake: Datalake, image: Path, name: str) -> None:
    """Blanks, quotes, other scripts and long names arrive as they are."""
    data = datalake.upload_data(image.rename(image.with_name(name)))

    assert isinstance(data, Data)
    assert data.filename == name
    assert data.read() == (image.parent / name).read_bytes()


def test_exif_fills_metadata_but_the_caller_wins(datalake: Datalake, tmp_path: Path) -> None:
    """What is said and what is read come together; where both speak, what is said counts."""
    exif = Image.Exif()
    exif.update({0x010F: "ACME", 0x0132: "2024:05:06 07:08:09", 0x0112: 6})
    path = tmp_path / "exif.jpg"
    Image.new("RGB", (64, 48)).save(path, exif=exif)
    data = datalake.upload_data(path, metadata={"manufacturer": "mine"}, fill_metadata=True)

    assert isinstance(data, Data)
    assert data.metadata is not None
    assert data.metadata["manufacturer"] == "mine"
    assert data.metadata["acquired_at"].startswith("2024-05-06T07:08:09")
    assert (data.width, data.height) == (48, 64)


def test_each_file_gets_its_own_metadata(datalake: Datalake, image: Path) -> None:
    """Metadata given as a list belong to the files in their order, over any number of workers."""
    count = 30
    data = datalake.upload_data([image] * count, metadata=[{"reference": str(number)} for number in range(count)])

    assert isinstance(data, MultiData)
    assert [each.metadata and each.metadata["reference"] for each in data] == [str(number) for number in range(count)]


@pytest.fixture
def wrong_files(tmp_path: Path) -> list[Path]:
    """Return what is no image: missing, empty, a folder, and a text that claims to be one."""
    text, empty = tmp_path / "text.jpg", tmp_path / "empty.jpg"
    text.write_text("no image")
    empty.touch()
    return [tmp_path / "missing.jpg", empty, tmp_path, text]


def test_wrong_files_do_not_stop_the_others(datalake: Datalake, image: Path, wrong_files: list[Path]) -> None:
    """Without an error manager, all good files are uploaded; then the error names every wrong one."""
    with pytest.raises(UploadFailedError) as caught:
        datalake.upload_data([image, *wrong_files, image])

    assert [error.path for error in caught.value.errors] == [str(path) for path in wrong_files]
    assert all(str(path) in str(caught.value) for path in wrong_files)
    assert [data.read() for data in caught.value.uploaded] == [image.read_bytes()] * 2


def test_an_error_manager_collects_them(datalake: Datalake, image: Path, wrong_files: list[Path]) -> None:
    """With one, the good data come back, and it has one error for each wrong file, in their order."""
    errors = ErrorManager()
    data = datalake.upload_data([*wrong_files, image], error_manager=errors)

    assert isinstance(data, MultiData)
    assert len(data) == 1
    assert [error.path for error in errors.errors] == [str(path) for path in wrong_files]
    unprocessable = errors.errors[-1]
    assert isinstance(unprocessable, UnprocessableDataError)
    assert unprocessable.data.upload_status == UploadStatus.ERROR
    assert unprocessable.data.upload_error
    assert unprocessable.data.upload_error in unprocessable.message


def test_nothing_done_is_an_error_of_its_own(datalake: Datalake, wrong_files: list[Path]) -> None:
    """Nobody takes an upload of nothing for a success."""
    errors = ErrorManager()
    with pytest.raises(NothingDoneError):
        datalake.upload_data(wrong_files, error_manager=errors)

    assert len(errors.errors) == len(wrong_files)


def test_a_single_wrong_file_is_its_own_error(datalake: Datalake, tmp_path: Path) -> None:
    """One path, one error that names it."""
    with pytest.raises(UploadError, match=r"missing\.jpg: No such file"):
        datalake.upload_data(tmp_path / "missing.jpg")


def test_what_cannot_be_processed_need_not_be_waited_for(datalake: Datalake, wrong_files: list[Path]) -> None:
    """Who does not wait gets the data; the lake finds out later."""
    data = datalake.upload_data(wrong_files[-1], wait_for_unprocessable_data=False)

    assert isinstance(data, Data)
    assert data.wait_for_upload_done(0.05, 200).upload_status == UploadStatus.ERROR


def test_lists_of_another_length_are_refused(datalake: Datalake, image: Path) -> None:
    """Nothing is guessed and nothing sent; the message names both numbers."""
    tag = f"tag-{uuid4()}"
    with pytest.raises(UsageError, match="metadata is given for 3 files, but there are 2"):
        datalake.upload_data([image, image], tags=tag, metadata=[{}, {}, {}])
    with pytest.raises(UsageError, match="no files given"):
        datalake.upload_data([], tags=tag)

    assert tag not in [each.name for each in datalake.list_data_tags()]


def test_progress_is_told(datalake: Datalake, image: Path, tmp_path: Path) -> None:
    """Files that fail are done, too; downloads count what they save."""
    told: list[tuple[int, int]] = []
    uploaded = datalake.upload_data(
        [image, tmp_path / "missing.jpg", image],
        error_manager=ErrorManager(),
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(1, 3), (2, 3), (3, 3)]

    told.clear()
    assert isinstance(uploaded, MultiData)
    uploaded.download(tmp_path, use_id=True, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]
