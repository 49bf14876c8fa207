"""Reading many images: by processes beside, which may die."""

import os
import signal
import stat
import sys
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from airflow_provider_lake.media.images import ImageHeader, NotAnImageError
from airflow_provider_lake.server.blobs.folder import FolderStore
from airflow_provider_lake.server.blobs.signing import UrlSigner
from airflow_provider_lake.server.errors import BadRequestError
from airflow_provider_lake.server.work.readers.image_reader import ImageReader

COUNT = 600


@pytest.fixture
def reader() -> Iterator[ImageReader]:
    """Return a reader, and end its processes afterwards."""
    reader = ImageReader()
    yield reader
    reader.close()


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """Return a store of images of different sizes."""
    store = FolderStore(tmp_path / "objects", tmp_path / "staging", UrlSigner(b"secret", timedelta(hours=1)))
    store.objects.mkdir()
    for number in range(COUNT):
        (store.objects / f"{number}.jpg").write_bytes(_photo(number + 1))
    return store


def _photo(width: int) -> bytes:
    file, exif = BytesIO(), Image.Exif()
    exif[0x010F] = "Acme Optics"
    Image.new("L", (width, 3)).save(file, "JPEG", exif=exif)
    return file.getvalue()


def _children() -> set[int]:
    found = Path("/proc/self/task").glob("*/children")
    return {int(pid) for file in found for pid in file.read_text().split()}


def _names(count: int = COUNT) -> list[str]:
    return [f"{number}.jpg" for number in range(count)]


def test_what_is_read_beside_is_what_is_read_here(reader: ImageReader, store: FolderStore) -> None:
    """Size and metadata of each, in their order, by processes; a few images need none."""
    before = _children()
    few = reader.read([(store, name) for name in _names(3)])
    started_for_few = _children() - before
    many = reader.read([(store, name) for name in _names()])

    assert few == many[:3]
    assert many == [ImageHeader(width, 3, {"manufacturer": "Acme Optics"}) for width in range(1, COUNT + 1)]
    assert started_for_few == set()
    assert _children() > before


def test_errors_are_those_of_the_files(reader: ImageReader, store: FolderStore) -> None:
    """No image, none that is there, none that may be read: each is what its reading here would raise."""
    (store.objects / "3.jpg").write_bytes(b"text")
    (store.objects / "4.jpg").unlink()
    (store.objects / "5.jpg").unlink()
    (store.objects / "5.jpg").mkdir()

    found = reader.read([(store, name) for name in _names(20)])

    assert [type(found[number]) for number in (2, 3, 4, 5)] == [
        ImageHeader,
        NotAnImageError,
        FileNotFoundError,
        IsADirectoryError,
    ]
    assert str(found[3]) == "not an image of a known format"


def test_names_need_not_be_text(reader: ImageReader, store: FolderStore) -> None:
    """Files have the names that their owners gave them."""
    name = os.fsdecode(b"caf\xe9.jpg")
    (store.objects / name).write_bytes(_photo(7))

    found = reader._read_files([store.objects / name])

    assert found == [ImageHeader(7, 3, {"manufacturer": "Acme Optics"})]


def test_a_process_that_was_ended_is_replaced(reader: ImageReader, store: FolderStore) -> None:
    """Whoever ended it; nobody who reads notices."""
    before = _children()
    images = [(store, name) for name in _names(40)]
    first = reader.read(images)
    for pid in _children() - before:
        os.kill(pid, signal.SIGKILL)

    assert reader.read(images) == first


def test_what_breaks_a_process_is_the_only_one_to_suffer(
    reader: ImageReader, store: FolderStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An image that ends the process which reads it is named; all others are read."""
    program = tmp_path / "python"
    # Reads as the real one does, and ends where it is asked for the image number 7.
    program.write_text(
        "#!/bin/sh\n"
        "while read -r line; do case $line in *'/7.jpg'*) exit 139;; esac;"
        f' echo "$line" | {sys.executable} -m airflow_provider_lake.server.work.readers.image_process; done\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr("sys.executable", str(program))

    found = reader.read([(store, name) for name in _names(17)])

    assert [number for number, each in enumerate(found) if not isinstance(each, ImageHeader)] == [7]
    assert "the process that read it ended" in str(found[7])


def test_without_a_process_images_are_read_here(
    reader: ImageReader, store: FolderStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the machine starts no more processes, they take longer, and nothing fails."""
    monkeypatch.setattr("sys.executable", str(tmp_path / "missing"))

    found = reader.read([(store, name) for name in _names(20)])

    assert found == [ImageHeader(width, 3, {"manufacturer": "Acme Optics"}) for width in range(1, 21)]


def test_a_name_that_no_object_can_have_spoils_no_other(reader: ImageReader, store: FolderStore) -> None:
    """It is refused as reading it alone would be."""
    found = reader.read([(store, name) for name in [*_names(20), "../x.jpg"]])

    assert all(isinstance(each, ImageHeader) for each in found[:20])
    assert isinstance(found[20], BadRequestError)
