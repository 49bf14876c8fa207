"""What is no image or video, is cut or broken: uploads and imports refuse the same files, for the same reasons."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from airflow_provider_lake.client import Data, Datalake, ErrorManager, Job, NothingDoneError, RetryPolicy, UsageError
from airflow_provider_lake.client.resources.imports import Imports
from airflow_provider_lake.client.transfers.file_checks import CheckFiles
from airflow_provider_lake.client.transport.session import Session, make_transport
from airflow_provider_lake.exceptions import LakeUploadError
from airflow_provider_lake.operators.import_bucket import ImportBucketObjectsOperator
from airflow_provider_lake.operators.upload import UploadDataOperator
from tests.lake_process import LakeProcess
from tests.tries import Tries
from tests.videos import cut, make_sound, make_video
from tests.wire.scripted import Given, scripted

OFTEN = (0.1, 600)
AT_THE_FRONT = {"movflags": "faststart"}


def _image(kind: str, pages: int = 1) -> bytes:
    target = BytesIO()
    first, *others = [Image.effect_noise((80, 60), 60 + page).convert("RGB") for page in range(pages)]
    more = {"save_all": True, "append_images": others} if others else {}
    first.save(target, kind, **more)
    return target.getvalue()


def _page_gone(content: bytes) -> bytes:
    """Return a TIFF whose first page says that the second one is where nothing is."""
    place = int.from_bytes(content[4:8], "little")
    place += 2 + 12 * int.from_bytes(content[place : place + 2], "little")
    return content[:place] + (len(content) + 1000).to_bytes(4, "little") + content[place + 4 :]


GOOD = {
    "photo.jpg": _image("JPEG"),
    "picture.png": _image("PNG"),
    "pages.tiff": _image("TIFF", 3),
    "film.mp4": make_video(options=AT_THE_FRONT),
    "film.mov": make_video("mov", "mjpeg"),
    "film.mkv": make_video("matroska", "libx264"),
    "film.avi": make_video("avi"),
}
# What their headers show, and the beginning of why.
BAD = {
    "empty.jpg": (b"", "empty"),
    "empty.mp4": (b"", "empty"),
    "empty.mkv": (b"", "empty"),
    "text.jpg": (b"a text", "not an image of a known format"),
    "text.mp4": (b"a text", "not a video of a known format"),
    "photo.mp4": (_image("JPEG"), "not a video of a known format"),
    "film.jpg": (make_video(), "not an image of a known format"),
    "cut-before-its-index.mp4": (cut(make_video()), "not a video of a known format, or its header is cut"),
    "sound.mp4": (make_sound(), "there is no video in the file, only sound"),
}
# What only decoding shows.
BROKEN = {
    "cut.jpg": (cut(_image("JPEG"), 0.5), "the image is cut or broken"),
    "cut.png": (cut(_image("PNG"), 0.5), "the image is cut or broken"),
    "cut.gif": (cut(_image("GIF", 3), 0.5), "the image is cut or broken"),
    "page-gone.tiff": (_page_gone(_image("TIFF", 3)), "the image is cut or broken"),
    "cut.mp4": (cut(make_video(frames=50, options=AT_THE_FRONT)), "the video is cut or broken after"),
    "cut.mkv": (cut(make_video("matroska", "libx264", frames=50)), "the video is cut"),
    "cut.avi": (cut(make_video("avi", frames=50)), "the video is cut"),
}
ALL = GOOD | {name: content for name, (content, _) in (BAD | BROKEN).items()}


@pytest.fixture
def datalake(lake: LakeProcess) -> Datalake:
    """Return the lake's datalake."""
    return lake.client().get_datalake()


def _upload(datalake: Datalake, _: LakeProcess, folder: Path, check_files: CheckFiles) -> dict[str, str]:
    """Upload the files of a folder, and return what failed and why."""
    manager = ErrorManager()
    datalake.upload_data(sorted(folder.iterdir()), error_manager=manager, tags=folder.name, check_files=check_files)
    return {Path(error.path).name: error.message for error in manager.errors}


def _import(datalake: Datalake, lake: LakeProcess, folder: Path, check_files: CheckFiles) -> dict[str, str]:
    """Import the same files from the bucket, and return what failed and why."""
    _put(lake, folder)
    job = datalake.import_bucket_objects([f"{folder.name}/"], tags=folder.name, check_files=check_files)
    return _failures(job)


def _import_by_name(datalake: Datalake, lake: LakeProcess, folder: Path, check_files: CheckFiles) -> dict[str, str]:
    """Import the same files by their names, and return what failed and why."""
    names = _put(lake, folder)
    job = datalake.import_cloud_objects({name: {"tags": [folder.name]} for name in names}, check_files=check_files)
    assert isinstance(job, Job)
    return _failures(job)


def _put(lake: LakeProcess, folder: Path) -> list[str]:
    target = lake.objects / folder.name
    target.mkdir(parents=True)
    for path in folder.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return [f"{folder.name}/{path.name}" for path in folder.iterdir()]


def _failures(job: Job) -> dict[str, str]:
    progress = job.wait_for_done(*OFTEN).refresh().progress
    assert progress is not None
    assert progress["failed"] == len(progress["failures"])
    return {each["object_name"].rpartition("/")[2]: each["reason"] for each in progress["failures"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Have a folder of files, good and bad."""
    folder = tmp_path / f"odd-{uuid4()}"
    folder.mkdir()
    for name, content in ALL.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("come_in", [_upload, _import, _import_by_name])
@pytest.mark.parametrize("check_files", ["header", "decode"])
def test_what_cannot_come_in_is_named_with_its_reason(
    come_in: "Callable[[Datalake, LakeProcess, Path, CheckFiles], dict[str, str]]",
    check_files: CheckFiles,
    datalake: Datalake,
    lake: LakeProcess,
    folder: Path,
) -> None:
    """Whichever way it was to come in; all else is data, each of which the lake has looked at."""
    expected = BAD if check_files == "header" else BAD | BROKEN

    failures = come_in(datalake, lake, folder, check_files)

    assert {name: reason for name, (_, reason) in expected.items() if reason not in failures.get(name, "")} == {}
    assert failures.keys() == expected.keys()
    done = [data for data in datalake.list_data(tags=folder.name) if data.upload_status == "DONE"]
    assert {data.filename for data in done} == ALL.keys() - expected.keys()
    assert all(data.width and data.height for data in done)
    videos = {data.filename: data for data in done if data.type == "VIDEO" and data.filename in GOOD}
    assert {data.duration for data in videos.values()} == {2.0}
    assert {data.frame_rate for data in videos.values()} == {10.0}
    assert [videos[f"film.{end}"].codec for end in ("mp4", "mov", "mkv", "avi")] == ["mpeg4", "mjpeg", "h264", "mpeg4"]


def test_what_does_not_decode_is_not_even_uploaded(datalake: Datalake, tmp_path: Path) -> None:
    """Nothing of it is in the lake, where by its header alone it would be a data."""
    path = tmp_path / f"{uuid4()}.jpg"
    path.write_bytes(BROKEN["cut.jpg"][0])
    manager = ErrorManager()

    with pytest.raises(NothingDoneError):
        datalake.upload_data([path], error_manager=manager, check_files="decode")

    assert "image file is truncated" in manager.errors[0].message
    assert getattr(manager.errors[0], "data", None) is None
    data = datalake.upload_data(path)
    assert isinstance(data, Data)
    assert datalake.find_data(filename=path.name).id == data.id


def test_videos_tell_the_same_by_both_ways(datalake: Datalake, lake: LakeProcess, tmp_path: Path) -> None:
    """Size, duration, frame rate, codec, and what the container carries of time, place and maker."""
    said = {"creation_time": "2024-05-06T07:08:09Z", "location": "+48.8577+002.2950/", "artist": "Zoë"}
    content = make_video("mov", rotation=90, metadata=said)
    folder = tmp_path / f"films-{uuid4()}"
    folder.mkdir()
    (folder / "a.mov").write_bytes(content)

    uploaded = datalake.upload_data(folder / "a.mov", fill_metadata=True)
    assert isinstance(uploaded, Data)
    _import(datalake, lake, folder, "header")
    imported = datalake.list_data(tags=folder.name)[0]

    assert uploaded.metadata == imported.metadata
    assert imported.metadata == {
        "acquired_at": "2024-05-06T07:08:09+00:00",
        "acquired_by": "Zoë",
        "compression": "mpeg4",
        "latitude": 48.8577,
        "longitude": 2.295,
    }
    for data in (uploaded.refresh(), imported, imported.refresh()):
        assert (data.width, data.height, data.duration, data.frame_rate, data.codec) == (48, 64, 2.0, 10.0, "mpeg4")


def test_videos_are_found_by_what_is_known_of_them(datalake: Datalake, lake: LakeProcess, tmp_path: Path) -> None:
    """Queries and orders know their duration, frame rate and codec; images have none."""
    folder = tmp_path / f"films-{uuid4()}"
    folder.mkdir()
    for frames in (10, 30):
        (folder / f"{frames}.mp4").write_bytes(make_video(frames=frames))
    (folder / "photo.jpg").write_bytes(GOOD["photo.jpg"])
    _import(datalake, lake, folder, "header")

    def found(q: str) -> list[str]:
        return [data.filename for data in datalake.iter_data(tags=folder.name, q=q, order_by=["-meta.duration"])]

    assert found("meta.duration > 2.5") == ["30.mp4"]
    assert found('meta.codec = "mpeg4" and meta.frame_rate = 10') == ["30.mp4", "10.mp4"]
    assert found("meta.duration = None") == ["photo.jpg"]
    assert found('not meta.codec = "mpeg4"') == ["photo.jpg"]


def test_tasks_upload_and_import_what_decodes(lake: LakeProcess, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They name what does not; a task whose files may all fail says which did."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())
    upload = UploadDataOperator(task_id="upload", filepaths=str(folder), check_files="decode", max_failures=100)
    _put(lake, folder)
    bring_in = ImportBucketObjectsOperator(
        task_id="import",
        prefixes=f"{folder.name}/",
        check_files="decode",
        poll_interval=0.1,
        max_failures=100,
    )

    uploaded = upload.execute(Tries().next())
    imported = bring_in.execute(Tries().next())

    assert uploaded["uploaded"] == imported["progress"]["imported"] == len(GOOD)
    assert uploaded["failed"] == imported["progress"]["failed"] == len(BAD | BROKEN)
    strict = UploadDataOperator(task_id="strict", filepaths=str(folder / "cut.mp4"), check_files="decode")
    with pytest.raises(LakeUploadError, match="the video is cut or broken after"):
        strict.execute(Tries().next())


def test_a_wrong_way_to_check_is_refused(datalake: Datalake, tmp_path: Path) -> None:
    """By tasks where the DAG is parsed, and by the client before anything is sent."""
    for make in (
        lambda: UploadDataOperator(task_id="a", filepaths="x", check_files="pixels"),  # type: ignore[arg-type] # wrong
        lambda: ImportBucketObjectsOperator(task_id="a", prefixes="x", check_files="pixels"),  # type: ignore[arg-type]
    ):
        with pytest.raises(ValueError, match="check_files is one of header, decode, not 'pixels'"):
            make()
    with pytest.raises(UsageError, match="check_files is one of header, decode"):
        datalake.upload_data(tmp_path, check_files="pixels")  # type: ignore[arg-type] # wrong
    with pytest.raises(UsageError, match="check_files is one of header, decode"):
        datalake.import_bucket_objects(["x"], check_files="pixels")  # type: ignore[arg-type] # wrong


def test_a_lake_that_cannot_decode_is_not_asked_to() -> None:
    """The platform would leave out what it does not know: then nothing is started; the default sends nothing new."""
    job = Given(body={"job": {"id": str(uuid4()), "status": "PENDING"}})
    with scripted(job) as server:
        session = Session(server.url, "token", make_transport(5, verify=True), RetryPolicy(attempts=1))
        imports = Imports(session, uuid4())
        with pytest.raises(UsageError, match="this lake imports by headers only"):
            imports.import_prefixes(["a/"], [], None, None, "decode")
        imports.import_prefixes(["a/"], [], None, None, "header")

    assert len(server.asked) == 1
    assert b"check_files" not in server.asked[0].body
