"""How bytes come back: whole, resumed where they broke off, in constant memory."""

import struct
import tracemalloc
from functools import cache
from pathlib import Path
from uuid import uuid4

import pytest

from airflow_provider_lake.client import Client, Data, MultiData, RetryPolicy, TransferError, TransportError
from airflow_provider_lake.client.transport.base import BLOCK_SIZE
from airflow_provider_lake.client.transport.session import Session, make_transport
from tests.lake_process import LakeProcess
from tests.videos import make_video
from tests.wire.breaking_proxy import Break, breaking_proxy
from tests.wire.scripted import Given, Script, scripted

AT_ONCE = RetryPolicy(base_delay=0)
SIGNATURE = "signature=top-secret"
OFTEN = (0.05, 600)
HALF = BLOCK_SIZE
SIZE = 2 * HALF
CONTENT = b"1" * HALF + b"2" * HALF
REST = f"bytes {HALF}-{SIZE - 1}/{SIZE}"
FIRST_HALF = Given(200, CONTENT[:HALF], {"Content-Length": str(SIZE), "Connection": "close", "ETag": '"1"'})
SECOND_HALF = Given(206, CONTENT[HALF:], {"Content-Range": REST, "ETag": '"1"'})
OTHER = b"another " * (SIZE // 8)
WHOLE = Given(200, OTHER, {"ETag": '"2"'})


def _data(server: Script, filename: str = "file") -> Data:
    """Return a data whose bytes a scripted server has."""
    json = {
        "id": str(uuid4()),
        "object_name": "a",
        "filename": filename,
        "type": "IMAGE",
        "content_type": "image/jpeg",
        "upload_status": "DONE",
        "presigned_url": f"{server.url}/a?{SIGNATURE}",
    }
    return Data.from_json(Session(server.url, "token", make_transport(5, verify=True), AT_ONCE), uuid4(), json)


def _ranges(server: Script) -> list[str | None]:
    return [asked.headers["Range"] for asked in server.asked]


def test_a_broken_download_goes_on_where_it_was() -> None:
    """Only what is missing is asked for."""
    with scripted(FIRST_HALF, SECOND_HALF) as server:
        assert _data(server).read() == CONTENT

    assert _ranges(server) == [None, f"bytes={HALF}-"]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param([WHOLE], id="the storage knows no ranges"),
        pytest.param([Given(206, OTHER[HALF:], {"Content-Range": REST, "ETag": '"2"'}), WHOLE], id="changed"),
        pytest.param([Given(206, b"5", {"Content-Range": f"bytes {HALF}-{SIZE}/{SIZE + 1}"}), WHOLE], id="grown"),
        pytest.param([Given(416, b""), WHOLE], id="shrunk"),
    ],
)
def test_an_object_that_changed_is_not_mixed(other: list[Given]) -> None:
    """When the rest is not that of what has come, all is fetched anew."""
    with scripted(FIRST_HALF, *other) as server:
        assert _data(server).read() == OTHER

    assert server.answers == []


@pytest.mark.parametrize("status", [400, 401, 403])
def test_an_expired_url_is_renewed(status: int) -> None:
    """The fresh one goes on where the old one ended; it is asked for once."""
    with scripted(FIRST_HALF, Given(503, b""), Given(status, b"")) as server:
        server.answers += [Given(body={"presigned_url": f"{server.url}/b"}), SECOND_HALF]
        assert _data(server).read() == CONTENT

    renewal, last = server.asked[-2:]
    assert renewal.path.endswith("/presigned-url")
    assert last.path == "/b"
    assert last.headers["Range"] == f"bytes={HALF}-"


def test_what_the_storage_keeps_refusing_is_an_error() -> None:
    """A fresh URL is tried once; another refusal than of a signature is final."""
    with scripted(Given(403, b"")) as server:
        server.answers += [Given(body={"presigned_url": f"{server.url}/b"}), Given(403, b"")]
        with pytest.raises(TransferError) as caught:
            _data(server).read()
    assert caught.value.status == 403
    with scripted(Given(404, b"")) as server, pytest.raises(TransferError, match="Not Found"):
        _data(server).read()


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    """It appears once all bytes have come, and nothing is left behind when they do not."""
    with scripted(FIRST_HALF, SECOND_HALF) as server:
        path = _data(server).download(tmp_path)
    assert path.read_bytes() == CONTENT
    path.unlink()
    nothing_more = Given(206, b"", dict(SECOND_HALF.headers) | {"Content-Length": str(HALF), "Connection": "close"})
    with scripted(FIRST_HALF, *[nothing_more] * 4) as server, pytest.raises(TransportError) as caught:
        _data(server).download(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert "top-secret" not in repr(caught.value)


def test_a_filename_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    """Only its last part counts: it comes from the lake."""
    with scripted(WHOLE) as server:
        assert _data(server, "../../evil.jpg").download(tmp_path / "in") == tmp_path / "in" / "evil.jpg"


@pytest.mark.parametrize("filename", ["..", ".", "", "a/.."])
def test_a_filename_that_names_no_file_is_replaced_by_the_id(filename: str, tmp_path: Path) -> None:
    """It would be the folder itself, or the one above."""
    with scripted(WHOLE) as server:
        data = _data(server, filename)
        assert data.download(tmp_path / "in", force_replace=True) == tmp_path / "in" / str(data.id)

    assert (tmp_path / "in" / str(data.id)).read_bytes() == OTHER


def test_a_redirect_is_followed_without_credentials() -> None:
    """Signed URLs may lead on, and carry all that is needed."""
    with scripted(Given(200, b"there")) as there, scripted(Given(302, b"", {"Location": f"{there.url}/b"})) as here:
        assert _data(here).read() == b"there"

    assert "Authorization" not in there.asked[0].headers


@pytest.fixture
def videos(lake: LakeProcess) -> MultiData:
    """Have three videos of 48 MiB, mostly holes, in the lake."""
    prefix = f"videos-{uuid4()}"
    (lake.objects / prefix).mkdir(parents=True)
    for number in range(3):
        with (lake.objects / prefix / f"{number}.mp4").open("wb") as file:
            file.write(_head(number))
            file.write(struct.pack(">I4s", 48 * 2**20 - file.tell(), b"free"))
            file.truncate(48 * 2**20)
            file.seek(-1, 2)
            file.write(b"t")
    datalake = lake.client().get_datalake()
    datalake.import_bucket_objects([f"{prefix}/"], tags=prefix).wait_for_done(*OFTEN)
    return datalake.list_data(tags=prefix, order_by=["filename"])


@cache
def _head(number: int) -> bytes:
    """Make a video that is like no other one."""
    return make_video(frames=1, size=(16, 16 + 2 * number))


def test_large_files_come_in_constant_memory(videos: MultiData, tmp_path: Path) -> None:
    """Over threads, in their order, whole; far less than a file is in memory at any time."""
    tracemalloc.start()
    paths = videos.download(tmp_path, max_workers=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert [path.name for path in paths] == ["0.mp4", "1.mp4", "2.mp4"]
    assert {path.stat().st_size for path in paths} == {48 * 2**20}
    for number, path in enumerate(paths):
        head = _head(number)
        with path.open("rb") as file:
            assert file.read(len(head)) == head
            file.seek(-1, 2)
            assert file.read() == b"t"
    assert peak < 4 * 2**20


def test_a_broken_connection_to_a_lake_is_made_good(lake: LakeProcess, videos: MultiData, tmp_path: Path) -> None:
    """With the real lake the file comes whole, too."""

    def decide(line: str, number: int) -> Break | None:
        return Break.ANSWER_CUT if line.startswith("GET /storage/") and number < 2 else None

    with breaking_proxy(lake.url, decide) as url, Client(lake.token, host=url, retry=AT_ONCE) as client:
        path = client.get_datalake().find_data(id=videos[0].id).download(tmp_path)

    assert path.stat().st_size == 48 * 2**20
    head = _head(0)
    assert path.read_bytes()[: len(head)] == head


def test_an_object_of_another_time_is_not_mixed() -> None:
    """Where a storage names no ETag, its time tells versions apart."""
    old, new = "Mon, 01 Jan 2024 00:00:00 GMT", "Tue, 02 Jan 2024 00:00:00 GMT"
    head = {"Content-Length": str(SIZE), "Connection": "close", "Last-Modified": old}
    rest = Given(206, OTHER[HALF:], {"Content-Range": REST, "Last-Modified": new})
    with scripted(Given(200, CONTENT[:HALF], head), rest, WHOLE) as server:
        assert _data(server).read() == OTHER
