"""The blob store in a folder: what concerns files and folders, beyond what every store does."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from airflow_provider_lake.server.blobs.folder import FolderStore
from airflow_provider_lake.server.blobs.signing import UrlSigner
from airflow_provider_lake.server.errors import ConflictError

ROUNDS = 200


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """Return a store in empty folders."""
    objects, staging = tmp_path / "objects", tmp_path / "staging"
    objects.mkdir()
    staging.mkdir()
    return FolderStore(objects, staging, UrlSigner(b"secret", timedelta(hours=1)))


def _put(store: FolderStore, object_name: str, content: bytes = b"content") -> None:
    with store.incoming() as incoming:
        incoming.write(content)
        incoming.finish()
        store.publish(incoming.path, object_name)


def test_a_folder_does_not_vanish_under_an_arriving_file(store: FolderStore) -> None:
    """Deleting the last object of a folder removes it; another object that goes there at the same time is stored."""

    def put_and_delete(object_name: str) -> None:
        for _ in range(ROUNDS):
            _put(store, object_name)
            store.delete(object_name)

    with ThreadPoolExecutor() as pool:
        list(pool.map(put_and_delete, ["day/one.jpg", "day/two.jpg", "day/night/three.jpg"]))

    assert list(store.objects.iterdir()) == []


def test_a_folder_does_not_vanish_by_another_process(store: FolderStore) -> None:
    """Two stores on one folder, as processes of one lake have them, do the same without a lock between them."""
    other = FolderStore(store.objects, store.staging, store.signer)

    def put_and_delete(of: FolderStore, object_name: str) -> None:
        for _ in range(ROUNDS):
            _put(of, object_name)
            of.delete(object_name)

    with ThreadPoolExecutor() as pool:
        list(pool.map(put_and_delete, [store, other], ["day/one.jpg", "day/two.jpg"]))

    assert list(store.objects.iterdir()) == []


def test_what_was_arriving_when_a_lake_died_is_discarded(store: FolderStore) -> None:
    """Half files go, also those of parts; a part that arrived stays."""
    half, half_part = store.incoming().__enter__(), store.incoming("upload").__enter__()
    with store.incoming("upload") as part:
        part.finish()
        store.save_part(part.path, "upload", 1)

    store.discard_incoming()

    assert not half.path.exists()
    assert [path.name for path in half_part.path.parent.iterdir()] == ["1"]


def test_parts_of_abandoned_uploads_are_discarded(store: FolderStore) -> None:
    """Those of uploads that go on stay."""
    for upload in ("goes on", "abandoned"):
        with store.incoming(upload) as part:
            part.finish()
            store.save_part(part.path, upload, 1)

    store.discard_parts(["goes on"])

    assert [path.name for path in store.staging.iterdir()] == ["goes on"]


def test_a_file_that_vanishes_while_its_folder_is_listed_is_left_out(store: FolderStore) -> None:
    """And so is a folder; the list goes on."""
    for name in ("a", "b", "c/d", "e"):
        _put(store, name)
    listed = store.scan("")
    names = [next(listed).object_name]
    store.delete("b")
    store.delete("c/d")

    assert names + [blob.object_name for blob in listed] == ["a", "e"]


def test_what_symbolic_links_lead_to_is_no_object(store: FolderStore, tmp_path: Path) -> None:
    """Neither by name nor by prefix, whether a file is a link or a folder is; nothing is written or deleted there."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"of somebody else")
    (store.objects / "folder").symlink_to(outside)
    (store.objects / "file").symlink_to(outside / "file")
    names = ["file", "folder/file"]

    for name in names:
        for find in (store.stat, store.open):
            with pytest.raises(FileNotFoundError):
                find(name)
    store.delete("folder/file")
    with pytest.raises(ConflictError):
        _put(store, "folder/other")

    assert store.stat_many(names) == [None, None]
    assert [*store.scan(""), *store.scan("folder/")] == []
    assert [path.name for path in outside.iterdir()] == ["file"]


def test_only_plain_files_are_objects(store: FolderStore) -> None:
    """Neither a folder, nor a pipe that would keep its reader waiting; deleting them changes nothing."""
    _put(store, "folder/file")
    os.mkfifo(store.objects / "pipe")

    for name in ("folder", "pipe", "folder/file/deeper"):
        with pytest.raises(FileNotFoundError):
            store.stat(name)
        with pytest.raises(FileNotFoundError):
            store.open(name)
    store.delete("folder")
    store.delete("folder/file/deeper")

    assert [blob.object_name for blob in store.scan("")] == ["folder/file"]
