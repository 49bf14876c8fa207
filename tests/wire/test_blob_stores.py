"""What every blob store promises, held against both: a folder, and a bucket of a real S3 server."""

import random
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import BinaryIO
from uuid import uuid4

import pytest
import requests

from airflow_provider_lake.server.blobs.base import MAX_FORM_BYTES, BlobStore, PresignedPost
from airflow_provider_lake.server.blobs.folder import FolderStore
from airflow_provider_lake.server.blobs.s3 import S3Store
from airflow_provider_lake.server.blobs.signing import UrlSigner
from tests.lake_process import LakeProcess
from tests.wire.lake_api import LakeApi
from tests.wire.rgw import RadosGateway

HOUR = timedelta(hours=1)
PAST = timedelta(seconds=-10)
TYPE = "image/jpeg"
FIVE_MIB = 5 << 20

MakeStore = Callable[[timedelta, int], BlobStore]


@dataclass(frozen=True)
class Place:
    """One kind of store.

    :param lake: a running lake that keeps its objects there.
    :param make_store: lifetime of URLs, and largest form, to another store of the same objects.
    """

    lake: LakeProcess
    make_store: MakeStore

    @property
    def store(self) -> BlobStore:
        """The store as a lake has it."""
        return self.make_store(HOUR, MAX_FORM_BYTES)

    def put(self, object_name: str, content: bytes) -> None:
        """Store an object, as clients do."""
        assert self.send(self.store.presign_post(object_name, TYPE, self.lake.url), content) == 204

    def send(self, form: PresignedPost, content: bytes, **changes: str) -> int:
        """Upload by a form, and return the status of the answer."""
        fields = form.fields | {"Content-Type": TYPE} | changes
        return requests.post(form.url, data=fields, files={"file": content}, timeout=60).status_code

    def has(self, object_name: str) -> bool:
        """Whether an object exists."""
        return any(blob.object_name == object_name for blob in self.store.scan(object_name))


@pytest.fixture(scope="module", params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Run a lake over each kind of store."""
    data_dir = tmp_path_factory.mktemp(request.param) / "data"
    if request.param == "folder":
        with LakeProcess(data_dir) as lake:
            yield Place(lake, _folder_stores(lake))
        return
    server: RadosGateway = request.getfixturevalue("s3")
    client, bucket = server.client(), server.new_bucket()
    with LakeProcess(data_dir, "--storage", f"s3://{bucket}/some/prefix", environment=server.environment) as lake:
        yield Place(lake, lambda lifetime, size: S3Store(client, bucket, "some/prefix/", lifetime, size))


def _folder_stores(lake: LakeProcess) -> MakeStore:
    secret = (lake.data_dir / "signing.key").read_bytes()
    staging = lake.data_dir / "staging"
    return lambda lifetime, size: FolderStore(lake.objects, staging, UrlSigner(secret, lifetime), size)


@pytest.fixture
def folder() -> str:
    """Return the beginning of object names that no other test has."""
    return f"{uuid4()}/"


@pytest.mark.parametrize(("size", "name"), [(0, "empty.jpg"), (1, "a b+c%20#?&.jpg"), (200_000, "日本 é.jpg")])
def test_what_a_form_uploads_is_what_is_read(place: Place, folder: str, size: int, name: str) -> None:
    """Byte for byte, of the right size, also when it is nothing, whatever its name."""
    content = random.randbytes(size)

    place.put(folder + name, content)

    assert place.store.stat(folder + name).size == size
    with place.store.open(folder + name) as file:
        assert file.read() == content
    assert requests.get(place.store.presign_get(folder + name, place.lake.url), timeout=60).content == content


def test_a_form_replaces_what_was_there(place: Place, folder: str) -> None:
    """An upload that is repeated after a lost answer changes nothing else."""
    place.put(f"{folder}a.jpg", b"first")
    place.put(f"{folder}a.jpg", b"second")

    assert [blob.size for blob in place.store.scan(folder)] == [6]


def test_a_form_takes_so_many_bytes_and_no_more(place: Place, folder: str) -> None:
    """The largest size is signed; one byte beyond is refused, and nothing is stored."""
    store = place.make_store(HOUR, 1000)
    fitting, large = (store.presign_post(f"{folder}{name}", TYPE, place.lake.url) for name in ("fitting", "large"))

    assert place.send(fitting, b"x" * 1000) == 204
    assert place.send(large, b"x" * 1001) in {400, 413}
    assert not place.has(f"{folder}large")


def test_a_changed_or_expired_form_is_refused(place: Place, folder: str) -> None:
    """For another object, with another signature, and too late; nothing is stored."""
    form = place.store.presign_post(f"{folder}a.jpg", TYPE, place.lake.url)
    old = place.make_store(PAST, MAX_FORM_BYTES).presign_post(f"{folder}a.jpg", TYPE, place.lake.url)
    [signature] = [name for name in form.fields if name.endswith("signature")]

    assert place.send(form, b"x", key=f"{folder}b.jpg") == 403
    assert place.send(form, b"x", **{signature: "0" * len(form.fields[signature])}) == 403
    assert place.send(old, b"x") == 403
    assert list(place.store.scan(folder)) == []


def test_a_changed_or_unsigned_url_is_refused(place: Place, folder: str) -> None:
    """For another object, for another method, without signature."""
    place.put(f"{folder}a.jpg", b"content")
    place.put(f"{folder}b.jpg", b"content")
    url = place.store.presign_get(f"{folder}a.jpg", place.lake.url)

    assert requests.get(url.replace("a.jpg", "b.jpg"), timeout=60).status_code == 403
    assert requests.get(url.partition("?")[0], timeout=60).status_code == 403
    assert requests.put(url, data=b"other", timeout=60).status_code in {403, 405}
    assert requests.get(url, timeout=60).content == b"content"


def test_an_expired_url_is_refused(place: Place, folder: str) -> None:
    """However right its signature is."""
    place.put(f"{folder}a.jpg", b"content")

    answer = requests.get(place.make_store(PAST, 0).presign_get(f"{folder}a.jpg", place.lake.url), timeout=60)

    assert (answer.status_code, b"content" in answer.content) == (403, False)


def test_a_range_of_an_object_is_downloaded(place: Place, folder: str) -> None:
    """The bytes that are asked for, and which they are of how many."""
    place.put(f"{folder}a.jpg", bytes(range(100)))
    url = place.store.presign_get(f"{folder}a.jpg", place.lake.url)

    answer = requests.get(url, headers={"Range": "bytes=10-19"}, timeout=60)

    assert (answer.status_code, answer.content) == (206, bytes(range(10, 20)))
    assert answer.headers["content-range"] == "bytes 10-19/100"


def test_parts_become_one_object(place: Place, folder: str) -> None:
    """In the order of their numbers; a wrong part is refused, and completing again changes nothing."""
    api, name = LakeApi(place.lake), f"{folder}a.mp4"
    base = f"/api/object-storage/{api.connector}"
    begun = api.post(f"{base}/init_multipart_upload", {"object_name": name, "content_type": "video/mp4"}).json()
    upload = {"object_name": name, "upload_id": begun["upload_id"]}
    contents = {2: b"the end", 1: random.randbytes(FIVE_MIB)}
    parts = []
    for number, content in contents.items():
        url = api.post(f"{base}/generate_part_presigned_url", upload | {"part_no": number}).json()["url"]
        parts.append({"ETag": requests.put(url, data=content, timeout=60).headers["etag"], "PartNumber": number})

    wrong = [parts[0], dict(parts[1], ETag=parts[0]["ETag"])]
    assert api.post(f"{base}/complete_part_upload", upload | {"parts": wrong}).status_code == 400
    assert not place.has(name)
    for _ in range(2):
        assert api.post(f"{base}/complete_part_upload", upload | {"parts": parts}).status_code == 200
    with place.store.open(name) as file:
        assert file.read() == contents[1] + contents[2]


def test_parts_are_joined_again_where_the_lake_took_no_note(place: Place, folder: str) -> None:
    """It ended between joining them and saying so in its database: who asks again gets the same object."""
    api, typed = LakeApi(place.lake), {"object_name": f"{folder}a.mp4", "content_type": "video/mp4"}
    base = f"/api/object-storage/{api.connector}"
    upload_id = api.post(f"{base}/init_multipart_upload", typed).json()["upload_id"]
    upload = {"object_name": f"{folder}a.mp4", "upload_id": upload_id}
    url = api.post(f"{base}/generate_part_presigned_url", upload | {"part_no": 1}).json()["url"]
    parts = [{"ETag": requests.put(url, data=b"whole", timeout=60).headers["etag"], "PartNumber": 1}]
    staged = place.lake.data_dir / "staging" / upload_id
    part = (staged / "1").read_bytes() if staged.exists() else None
    api.post(f"{base}/complete_part_upload", upload | {"parts": parts})
    if part is not None:
        staged.mkdir()
        (staged / "1").write_bytes(part)
    with closing(sqlite3.connect(place.lake.data_dir / "lake.db")) as connection, connection:
        connection.execute("UPDATE multipart_uploads SET completed_at = NULL WHERE object_name = ?", [f"{folder}a.mp4"])

    again = api.post(f"{base}/complete_part_upload", upload | {"parts": parts})

    assert again.status_code == 200
    with place.store.open(f"{folder}a.mp4") as file:
        assert file.read() == b"whole"


def test_the_store_of_an_organization_is_its_own(place: Place, folder: str) -> None:
    """The first one's lists nothing that lies there, also not amid its own names; signed URLs lead to the right one."""
    around = [f".a/{folder}x", f".z/{folder}x"]
    for name in around:
        place.put(name, b"outer")
    inner = place.store.with_prefix(f".organizations/{uuid4()}/")
    name = f"{folder}x"
    assert place.send(inner.presign_post(name, TYPE, place.lake.url), b"inner") == 204

    listed = [blob.object_name for blob in place.store.scan(".")]

    assert [each for each in listed if folder in each] == around
    assert not [each for each in listed if each.startswith(".organizations")]
    assert [blob.object_name for blob in inner.scan("")] == [name]
    assert requests.get(inner.presign_get(name, place.lake.url), timeout=60).content == b"inner"
    assert not place.has(name)


def test_a_url_for_one_part_takes_no_other(place: Place, folder: str) -> None:
    """The number is signed."""
    api, typed = LakeApi(place.lake), {"object_name": f"{folder}a.mp4", "content_type": "video/mp4"}
    base = f"/api/object-storage/{api.connector}"
    upload_id = api.post(f"{base}/init_multipart_upload", typed).json()["upload_id"]
    part = {"object_name": f"{folder}a.mp4", "upload_id": upload_id, "part_no": 7}
    url = api.post(f"{base}/generate_part_presigned_url", part).json()["url"]

    other = url.replace("partNumber=7", "partNumber=8").replace("/7?", "/8?")

    assert requests.put(other, data=b"x", timeout=60).status_code == 403


def _read_about(file: BinaryIO, steps: list[tuple[int, int, int]]) -> list[tuple[int, bytes]]:
    return [(file.seek(offset, whence), file.read(count)) for offset, whence, count in steps]


def test_an_object_is_read_from_anywhere(place: Place, folder: str) -> None:
    """Forwards, backwards, from its end and beyond, as a file in memory would be."""
    content = random.Random(1).randbytes(300_001)
    place.put(f"{folder}a.bin", content)
    (place.lake.data_dir / "copy").write_bytes(content)
    numbers = random.Random(2)
    steps = [(numbers.randrange(300_100), 0, numbers.choice([0, 1, 10, 1000, 70_000, 300_000])) for _ in range(30)]
    steps += [(-5, 2, 10), (0, 2, 10), (-300_001, 2, 3), (0, 0, -1)]

    with place.store.open(f"{folder}a.bin") as file, (place.lake.data_dir / "copy").open("rb") as copy:
        assert _read_about(file, steps) == _read_about(copy, steps)


ODD_NAMES = ["a b", "a!", "a+b%20c", "a-", "a.jpg", "a/a", "a/ä", "a0", "b#?&=c", "b'\"<>", "ä", "é", "日本", "🎉"]


def test_names_come_in_their_order(place: Place, folder: str) -> None:
    """Compared as a whole, character by character; from a prefix that need not end with a folder, and from any name."""
    names = sorted(folder + name for name in ODD_NAMES)
    for name in names:
        place.store.put(name, b"x", TYPE)

    def scan(prefix: str, after: str | None = None) -> list[str]:
        return [blob.object_name for blob in place.store.scan(folder + prefix, after)]

    assert scan("") == names
    assert scan("a") == [name for name in names if name.startswith(f"{folder}a")]
    assert scan("a/") == [f"{folder}a/a", f"{folder}a/ä"]
    assert scan("nothing") == []
    for index, name in enumerate(names):
        assert scan("", name) == names[index + 1 :]
        with place.store.open(name) as file:
            assert file.read() == b"x"


def test_more_names_than_one_page_holds(place: Place, folder: str) -> None:
    """S3 lists 1,000 at a time; a scan goes on."""
    names = [f"{folder}{number:04}" for number in range(1001)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: place.store.put(name, b"x", TYPE), names))

    assert [blob.object_name for blob in place.store.scan(folder)] == names
    assert [blob.object_name for blob in islice(place.store.scan(folder, names[998]), 5)] == names[999:]


def test_absence_is_told_from_everything_else(place: Place, folder: str) -> None:
    """By `FileNotFoundError`, also for what is a folder."""
    place.put(f"{folder}folder/a.jpg", b"x")
    for name in (f"{folder}none.jpg", f"{folder}folder", f"{folder}folder/a.jpg/none"):
        with pytest.raises(FileNotFoundError):
            place.store.stat(name)
        with pytest.raises(FileNotFoundError):
            place.store.open(name)
    url = place.store.presign_get(f"{folder}none.jpg", place.lake.url)
    assert requests.get(url, timeout=60).status_code == 404


def test_a_deleted_object_is_gone(place: Place, folder: str) -> None:
    """And its neighbour is not; deleting what is absent is fine."""
    place.put(f"{folder}a.jpg", b"x")
    place.put(f"{folder}b.jpg", b"x")
    for _ in range(2):
        place.store.delete(f"{folder}a.jpg")

    assert [blob.object_name for blob in place.store.scan(folder)] == [f"{folder}b.jpg"]
