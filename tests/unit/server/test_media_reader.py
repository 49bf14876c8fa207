"""Reading videos, and decoding whole files, by processes beside the lake, which may die."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from PIL import Image

from airflow_provider_lake.media.images import NotAnImageError
from airflow_provider_lake.media.video import NotAVideoError, read_video
from airflow_provider_lake.server.blobs.base import Blob
from airflow_provider_lake.server.blobs.folder import FolderStore
from airflow_provider_lake.server.blobs.signing import UrlSigner
from airflow_provider_lake.server.store.states import DataType
from airflow_provider_lake.server.work.readers import media_reader
from airflow_provider_lake.server.work.readers.media_reader import MediaReader, StoppedError
from tests.videos import cut, make_video
from tests.wire.job_calls import wait_for

VIDEO = make_video(frames=50, options={"movflags": "faststart"})


class Elsewhere(FolderStore):
    """A store whose objects are no files of this machine, as those of S3; it notes what is read of them."""

    fetched: int = 0

    def path_of(self, object_name: str) -> Path | None:  # noqa: ARG002 - as all stores have it
        """Say that it is none."""
        return None

    def stat(self, object_name: str) -> Blob:
        """Describe one object."""
        return Blob(object_name, (self.objects / object_name).stat().st_size)

    def open(self, object_name: str) -> BinaryIO:
        """Open an object that counts what is read of it."""
        store = self

        class Counting(BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                content = super().read(size)
                store.fetched += len(content)
                store.when_read()
                return content

        return Counting((self.objects / object_name).read_bytes())

    def when_read(self) -> None:
        """Do nothing; tests let something happen here."""


@pytest.fixture
def reader() -> Iterator[MediaReader]:
    """Return a reader, and end its processes afterwards."""
    reader = MediaReader()
    yield reader
    reader.close()


@pytest.fixture(params=[FolderStore, Elsewhere])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FolderStore:
    """Return a store of either kind."""
    return _store(request.param, tmp_path)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Elsewhere:
    """Return a store whose objects are no files."""
    store = _store(Elsewhere, tmp_path)
    assert isinstance(store, Elsewhere)
    return store


def _store(kind: Any, folder: Path) -> FolderStore:
    store: FolderStore = kind(folder / "objects", folder / "staging", UrlSigner(b"secret", timedelta(hours=1)))
    store.objects.mkdir()
    (folder / "staging").mkdir()
    _put(store, "a.mp4", VIDEO)
    return store


def _put(store: FolderStore, name: str, content: bytes) -> None:
    (store.objects / name).write_bytes(content)


def _never() -> bool:
    return False


def test_what_is_read_beside_is_what_is_read_here(reader: MediaReader, store: FolderStore) -> None:
    """All that the header tells, and a thumbnail of the first picture, whatever the store."""
    assert reader.read_video(store, "a.mp4") == read_video(BytesIO(VIDEO))
    thumbnail = reader.make_video_thumbnail(store, "a.mp4")
    with Image.open(BytesIO(thumbnail.content)) as image:
        assert (image.format, image.size) == ("JPEG", (64, 48)) == ("JPEG", (thumbnail.width, thumbnail.height))
    reader.check(store, "a.mp4", DataType.VIDEO, _never)


def test_what_is_wrong_is_said(reader: MediaReader, store: FolderStore) -> None:
    """Of videos and images, one after the other by the same process."""
    whole = BytesIO()
    Image.effect_noise((64, 64), 60).save(whole, "JPEG")
    for name, content in {"cut.mp4": cut(VIDEO), "no.mp4": b"a text", "cut.jpg": cut(whole.getvalue())}.items():
        _put(store, name, content)

    with pytest.raises(NotAVideoError, match="cut or broken after"):
        reader.check(store, "cut.mp4", DataType.VIDEO, _never)
    with pytest.raises(NotAVideoError, match="not a video of a known format"):
        reader.read_video(store, "no.mp4")
    with pytest.raises(NotAnImageError, match="truncated"):
        reader.check(store, "cut.jpg", DataType.IMAGE, _never)
    with pytest.raises(FileNotFoundError):
        reader.read_video(store, "missing.mp4")
    assert reader.read_video(store, "a.mp4").codec == "mpeg4"


def test_of_a_long_video_elsewhere_only_ranges_are_fetched(reader: MediaReader, elsewhere: Elsewhere) -> None:
    """Its header, at the end here, and its first picture; not the megabytes between them."""
    content = make_video(size=(640, 480), frames=60, codec="mjpeg", container="mov")
    assert len(content) > 3 << 20
    _put(elsewhere, "long.mov", content)

    assert reader.read_video(elsewhere, "long.mov").duration == 6

    assert elsewhere.fetched < 1 << 20


def test_a_process_that_dies_costs_one_file(reader: MediaReader, elsewhere: Elsewhere) -> None:
    """Its reason says so, and the next file is read by another process."""

    def kill() -> None:
        for process in _children():
            os.kill(process, signal.SIGKILL)

    elsewhere.when_read = kill  # type: ignore[method-assign] # for this test
    with pytest.raises(NotAVideoError, match="breaks the program"):
        reader.read_video(elsewhere, "a.mp4")
    elsewhere.when_read = lambda: None  # type: ignore[method-assign] # likewise

    assert reader.read_video(elsewhere, "a.mp4").codec == "mpeg4"


def test_a_file_that_takes_too_long_is_given_up(
    reader: MediaReader, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process is ended with it."""
    monkeypatch.setattr(media_reader, "_HEADER_SECONDS", 0)

    with pytest.raises(NotAVideoError, match="takes more than 0 s"):
        # To start a process takes longer than one look.
        reader.read_video(store, "a.mp4")

    assert _children() == set()


def test_who_stops_does_not_wait(reader: MediaReader, store: FolderStore) -> None:
    """A job that is killed, or a lake that ends, leaves a long video alone."""
    with pytest.raises(StoppedError):
        reader.check(store, "a.mp4", DataType.VIDEO, lambda: True)

    assert _children() == set()


def test_processes_end_with_the_reader(store: FolderStore) -> None:
    """None is left behind."""
    reader = MediaReader()
    reader.read_video(store, "a.mp4")
    assert _children() != set()

    reader.close()

    assert _children() == set()


def test_processes_do_not_outlive_a_lake_that_is_killed(tmp_path: Path) -> None:
    """They end by themselves when it is no more."""
    _store(FolderStore, tmp_path)
    program = """
import sys
from datetime import timedelta
from pathlib import Path
from airflow_provider_lake.server.blobs.folder import FolderStore
from airflow_provider_lake.server.blobs.signing import UrlSigner
from airflow_provider_lake.server.work.readers.media_reader import MediaReader
reader, folder = MediaReader(), Path(sys.argv[1])
store = FolderStore(folder / "objects", folder / "staging", UrlSigner(b"secret", timedelta(hours=1)))
print(reader.read_video(store, "a.mp4").codec, reader._idle[0]._process.pid, flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as lake:
        codec, child = (lake.stdout.readline() if lake.stdout else "").split()
        assert codec == "mpeg4"
        assert b"media_process" in Path(f"/proc/{child}/cmdline").read_bytes()
        lake.kill()

    # Of a process that has ended, but that nobody has asked for, no command is left.
    wait_for(lambda: not Path(f"/proc/{child}").exists() or not Path(f"/proc/{child}/cmdline").read_bytes())


def _children() -> set[int]:
    """Return the processes that this one has started and that read."""
    found = Path("/proc/self/task").glob("*/children")
    return {
        int(process)
        for file in found
        for process in file.read_text().split()
        if b"media_process" in Path(f"/proc/{process}/cmdline").read_bytes()
    }
