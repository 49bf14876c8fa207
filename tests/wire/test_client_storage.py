"""How bytes go to the kinds of object storage."""

import base64
import hashlib
import json
import threading
from contextlib import nullcontext
from email import message_from_bytes
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from airflow_provider_lake.client import RetryPolicy, TransferError, TransportError
from airflow_provider_lake.client.transfers.files import open_file
from airflow_provider_lake.client.transfers.storage import PART_SIZE, ObjectStorage
from airflow_provider_lake.client.transport.session import Session, make_transport
from tests.wire.scripted import Asked, Given, Script, scripted

AT_ONCE = RetryPolicy(base_delay=0)
SIGNATURE = "signature=top-secret"


def _session(server: Script) -> Session:
    return Session(server.url, "token", make_transport(5, verify=True), AT_ONCE)


def _store(server: Script, path: Path, content_type: str = "image/jpeg") -> None:
    with open_file(str(path)) as file:
        ObjectStorage(_session(server), uuid4()).store(file, "data/a.jpg", content_type)


def _signed(server: Script, kind: str, storage: str | None = None) -> Given:
    form = {"url": f"{storage or server.url}/bucket?{SIGNATURE}", "fields": {"key": "data/a.jpg", "policy": "x"}}
    return Given(body={"client_type": kind, "presigned_url_data": form})


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Make a small file."""
    path = tmp_path / 'a "quoted".jpg'
    path.write_bytes(b"some \r\n bytes")
    return path


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Make a file of two parts and a bit, mostly holes."""
    path = tmp_path / "large.mp4"
    with path.open("wb") as file:
        file.truncate(2 * PART_SIZE)
        file.seek(2 * PART_SIZE)
        file.write(b"tail")
    return path


@pytest.mark.parametrize("kind", ["aws", "minio", "google"])
def test_small_files_go_as_a_form(small: Path, kind: str) -> None:
    """All signed fields come first, then the content type, then the file; who we are is not sent along."""
    with scripted() as server:
        server.answers += [_signed(server, kind), Given(204, b"")]
        _store(server, small)
    sent = server.asked[1]
    form = message_from_bytes(f"Content-Type: {sent.headers['Content-Type']}\r\n\r\n".encode() + sent.body)
    parts = [part for part in form.walk() if part is not form]

    assert (sent.method, sent.path) == ("POST", f"/bucket?{SIGNATURE}")
    assert [part.get_param("name", header="Content-Disposition") for part in parts] == [
        "key",
        "policy",
        "Content-Type",
        "file",
    ]
    assert parts[2].get_payload() == "image/jpeg"
    assert small.read_bytes() in sent.body
    assert "Authorization" not in sent.headers


def test_azure_takes_the_bytes_alone(small: Path) -> None:
    """The fields are headers there."""
    with scripted() as server:
        server.answers += [_signed(server, "azure"), Given(201, b"")]
        _store(server, small)
    sent = server.asked[1]

    assert (sent.method, sent.body) == ("PUT", small.read_bytes())
    assert sent.headers["x-ms-blob-type"] == "BlockBlob"
    assert sent.headers["Content-Type"] == "image/jpeg"
    assert sent.headers["key"] == "data/a.jpg"


def test_google_takes_large_files_in_ranges(large: Path) -> None:
    """One URL, one range after the other; 308 says that more is expected."""
    with scripted() as server:
        server.answers += [
            Given(body={"client_type": "google", "url": f"{server.url}/upload"}),
            _taken(PART_SIZE),
            Given(503, b""),
            _taken(2 * PART_SIZE),
            Given(200, b""),
        ]
        _store(server, large, "video/mp4")
    size = 2 * PART_SIZE + 4

    assert [asked.headers["Content-Range"] for asked in server.asked[1:]] == [
        f"bytes 0-{PART_SIZE - 1}/{size}",
        *[f"bytes {PART_SIZE}-{2 * PART_SIZE - 1}/{size}"] * 2,
        f"bytes {2 * PART_SIZE}-{size - 1}/{size}",
    ]
    assert server.asked[-1].body == b"tail"


@pytest.mark.parametrize(
    ("taken", "starts"),
    [
        ([PART_SIZE - 1000, 2 * PART_SIZE - 1000], [0, PART_SIZE - 1000, 2 * PART_SIZE - 1000]),
        ([0, PART_SIZE, 2 * PART_SIZE], [0, 0, PART_SIZE, 2 * PART_SIZE]),
        ([PART_SIZE, 1000, PART_SIZE + 1000], [0, PART_SIZE, 1000, PART_SIZE + 1000]),
    ],
    ids=["less than was sent", "nothing", "less than before"],
)
def test_google_says_where_to_go_on(large: Path, taken: list[int], starts: list[int]) -> None:
    """The ``Range`` of each 308 says what the storage has; without one it has nothing."""
    with scripted() as server:
        server.answers += [Given(body={"client_type": "google", "url": f"{server.url}/upload"})]
        server.answers += [*map(_taken, taken), Given(200, b"")]
        _store(server, large, "video/mp4")
    content = large.read_bytes()

    assert [_start_of(asked.headers["Content-Range"]) for asked in server.asked[1:]] == starts
    for asked, start in zip(server.asked[1:], starts, strict=True):
        assert asked.body == content[start : start + PART_SIZE]


def test_google_is_asked_for_the_outcome_when_it_has_all(large: Path) -> None:
    """A 308 that speaks of all bytes is no success yet."""
    size = large.stat().st_size
    with scripted() as server:
        server.answers += [Given(body={"client_type": "google", "url": f"{server.url}/upload"})]
        server.answers += [_taken(PART_SIZE), _taken(2 * PART_SIZE), _taken(size), Given(200, b"")]
        _store(server, large, "video/mp4")

    assert server.asked[-1].headers["Content-Range"] == f"bytes */{size}"
    assert server.asked[-1].body == b""


def test_google_that_takes_nothing_is_given_up(large: Path) -> None:
    """As often as the policy says, and not for ever."""
    with scripted() as server:
        server.answers += [Given(body={"client_type": "google", "url": f"{server.url}/upload"})]
        server.answers += [_taken(0)] * 5
        with pytest.raises(TransportError, match="took nothing more"):
            _store(server, large, "video/mp4")
    assert server.answers == []


def _taken(count: int) -> Given:
    """Make the answer of a resumable upload that has so many bytes, and waits for more."""
    return Given(308, b"", {"Range": f"bytes=0-{count - 1}"} if count else {})


def _start_of(content_range: str) -> int:
    return int(content_range.removeprefix("bytes ").partition("-")[0])


@pytest.mark.parametrize("is_right", [True, False])
def test_google_speaks_of_the_whole_at_the_end(large: Path, is_right: bool) -> None:
    """The last range's answer names the object's MD5, not the range's."""
    etag = f'"{_md5(large) if is_right else "0" * 32}"'
    with scripted() as server:
        server.answers += [Given(body={"client_type": "google", "url": f"{server.url}/upload"})]
        server.answers += [_taken(PART_SIZE), _taken(2 * PART_SIZE), *[Given(200, b"", {"ETag": etag})] * 5]
        server.places["retrieve_presigned_url"] = lambda _: Given(404, {"message": "none"})
        refused = pytest.raises(TransportError, match="has other bytes")
        with nullcontext() if is_right else refused:
            _store(server, large, "video/mp4")


class Parts:
    """A storage of parts, as S3 is one; each part goes to a URL of its own.

    :param trips_over: a part's number, at whose first arrival it goes wrong.
    :param wrong: what is answered then.
    :param digests: whether the ETags are MD5s.
    """

    def __init__(self, trips_over: int | None = None, wrong: Given | None = None, *, digests: bool = True) -> None:
        self.came: dict[int, list[bytes]] = {number: [] for number in (1, 2, 3)}
        self._trips_over, self._wrong, self._digests = trips_over, wrong, digests

    def serve_by(self, server: Script) -> None:
        """Have a server answer like this storage and the lake before it."""
        server.answers += [Given(body={"client_type": "aws", "upload_id": "u"}), Given(body={})]
        server.places["generate_part_presigned_url"] = lambda asked: Given(
            body={"url": f"{server.url}/{json.loads(asked.body)['part_no']}"}
        )
        server.places |= {str(number): partial(self._take, number) for number in self.came}

    def _take(self, number: int, asked: Asked) -> Given:
        self.came[number].append(asked.body)
        if number == self._trips_over and self._wrong and len(self.came[number]) == 1:
            return self._wrong
        md5 = hashlib.md5(asked.body, usedforsecurity=False).hexdigest()
        return Given(200, b"", {"ETag": f'"{md5}"' if self._digests else f'"{number}"'})


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize(
    "wrong",
    [pytest.param(Given(500, b""), id="stumbles"), pytest.param(Given(200, b"", {"ETag": "0" * 32}), id="garbles")],
)
def test_a_part_is_repeated_alone(large: Path, number: int, wrong: Given) -> None:
    """A part over which the storage stumbles, or that it has otherwise than it was sent, goes again, not the file."""
    parts = Parts(number, wrong)
    with scripted() as server:
        parts.serve_by(server)
        _store(server, large, "video/mp4")
    completed = json.loads(server.asked[-1].body)["parts"]

    assert {each: len(bodies) for each, bodies in parts.came.items()} == {1: 1, 2: 1, 3: 1} | {number: 2}
    assert b"".join(parts.came[each][-1] for each in (1, 2, 3)) == large.read_bytes()
    assert [part["PartNumber"] for part in completed] == [1, 2, 3]


def test_bytes_are_compared_even_where_no_digest_was_expected(large: Path) -> None:
    """What is not hashed while it is sent is read again, once a storage says what it has."""
    silent, speaking = Parts(digests=False), Parts(2, Given(200, b"", {"ETag": "0" * 32}))
    with scripted() as server, open_file(str(large)) as file:
        storage = ObjectStorage(_session(server), uuid4())
        for parts in (silent, speaking):
            parts.serve_by(server)
            storage.store(file, "data/a.mp4", "video/mp4")

    assert {each: len(bodies) for each, bodies in speaking.came.items()} == {1: 1, 2: 2, 3: 1}


def test_parts_are_on_their_way_side_by_side(large: Path) -> None:
    """No part waits for the answer to another."""
    together = threading.Barrier(3)

    def meet(_asked: Asked) -> Given:
        together.wait(60)
        return Given(200, b"", {"ETag": '"e"'})

    with scripted() as server:
        Parts().serve_by(server)
        server.places |= dict.fromkeys("123", meet)
        _store(server, large, "video/mp4")

    assert server.asked[-1].path.endswith("/complete_part_upload")


def test_a_refused_part_ends_the_upload(tmp_path: Path) -> None:
    """No more parts are begun, and nothing is put together."""
    path = tmp_path / "long.mp4"
    with path.open("wb") as file:
        file.truncate(12 * PART_SIZE)
    with scripted() as server:
        Parts().serve_by(server)
        server.places |= {str(number): lambda _asked: Given(403, b"") for number in range(1, 13)}
        with pytest.raises(TransferError, match="Forbidden"):
            _store(server, path, "video/mp4")

    assert len([asked for asked in server.asked if asked.method == "PUT"]) <= 8
    assert not any(asked.path.endswith("/complete_part_upload") for asked in server.asked)


def test_a_storage_without_parts_gets_the_whole(large: Path) -> None:
    """When there are no multipart uploads, a large file goes in one piece."""
    with scripted() as server:
        server.answers += [Given(400, {"message": "no multipart"}), _signed(server, "azure"), Given(201, b"")]
        _store(server, large, "video/mp4")

    assert len(server.asked[-1].body) == large.stat().st_size


def test_an_unknown_kind_of_storage(small: Path) -> None:
    """The error names it."""
    with scripted() as server:
        server.answers += [_signed(server, "tape")]
        with pytest.raises(TransferError, match="tape"):
            _store(server, small)


def test_a_refusal_holds_the_storages_words_and_no_signature(small: Path) -> None:
    """Object storage answers in XML; whoever reads the error cannot use the URL."""
    with scripted() as server:
        refusal = Given(403, b"<Error><Code>AccessDenied</Code><Message>Policy expired</Message></Error>")
        server.answers += [_signed(server, "aws"), refusal]
        with pytest.raises(TransferError, match=r"refuses data/a\.jpg: Policy expired") as caught:
            _store(server, small)

    assert caught.value.status == 403
    assert "top-secret" not in repr(caught.value) + repr(caught.value.__cause__)


def test_a_broken_transfer_shows_no_signature(small: Path) -> None:
    """Neither does an error of transport."""
    with scripted() as server:
        # Nothing listens on port 1.
        server.answers += [_signed(server, "aws", "http://127.0.0.1:1")]
        with pytest.raises(TransportError, match=r"127\.0\.0\.1:1/bucket: .*refused") as caught:
            _store(server, small)

    assert "top-secret" not in repr(caught.value) + repr(caught.value.__cause__)


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def test_what_is_stored_is_what_was_read(small: Path) -> None:
    """A storage that says what it has, in either way, is believed; bytes that were garbled on their way go again."""
    good = {"ETag": f'"{_md5(small)}"'}
    garbled = {"ETag": f'"{"0" * 32}"'}
    in_azure = {"Content-MD5": base64.b64encode(bytes.fromhex(_md5(small))).decode(), "ETag": "0x8D"}
    with scripted() as server:
        server.answers += [_signed(server, "aws"), Given(204, b"", garbled), Given(204, b"", good)]
        _store(server, small)
        server.answers += [_signed(server, "azure"), Given(201, b"", in_azure)]
        _store(server, small)
    assert len(server.asked) == 5
    with scripted() as server:
        server.answers += [_signed(server, "aws"), *[Given(204, b"", garbled)] * 5]
        server.places["retrieve_presigned_url"] = lambda _: Given(body={"presigned_url": f"{server.url}/stored"})
        server.places["stored"] = lambda _: Given(200, b"less")
        with pytest.raises(TransportError, match=r"has other bytes of data/a\.jpg than were sent"):
            _store(server, small)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="none"),
        pytest.param({"ETag": '"0x8D"'}, id="no digest"),
        pytest.param({"ETag": f'"{"0" * 32}-2"'}, id="of parts"),
        pytest.param(
            {"ETag": f'"{"0" * 32}"', "x-amz-server-side-encryption-aws-kms-key-id": "k"}, id="of encrypted bytes"
        ),
        pytest.param({"ETag": f'"{"0" * 32}"', "x-goog-encryption-kms-key-name": "k"}, id="by Google"),
    ],
)
def test_a_storage_that_does_not_say_what_it_has(small: Path, headers: dict[str, str]) -> None:
    """What is no digest of the bytes is not taken for one."""
    with scripted() as server:
        server.answers += [_signed(server, "aws"), Given(204, b"", headers)]
        _store(server, small)
    assert len(server.asked) == 2


def test_etags_that_only_look_like_digests(small: Path, caplog: pytest.LogCaptureFixture) -> None:
    """After bytes were sent again in vain, their size decides; later files are sent once."""
    with scripted() as server:
        session = Session(server.url, "token", make_transport(5, verify=True), RetryPolicy(base_delay=0))
        storage = ObjectStorage(session, uuid4())
        server.places["retrieve_presigned_url"] = lambda _: Given(body={"presigned_url": f"{server.url}/stored"})
        server.places["stored"] = lambda _: Given(200, small.read_bytes())
        for sendings in (2, 1):
            tags = [Given(204, b"", {"ETag": f'"{uuid4().hex}"'}) for _ in range(sendings)]
            server.answers += [_signed(server, "aws"), *tags]
            with open_file(str(small)) as file:
                storage.store(file, "data/a.jpg", "image/jpeg")
    assert server.answers == []
    assert caplog.text.count("are no MD5") == 1


def test_parts_whose_etags_only_look_like_digests(large: Path) -> None:
    """What they make is looked at once it is put together."""
    with scripted() as server:
        server.answers += [Given(body={"client_type": "aws", "upload_id": "u"})]
        server.places |= {
            "generate_part_presigned_url": lambda _: Given(body={"url": f"{server.url}/part"}),
            "part": lambda _: Given(200, b"", {"ETag": f'"{uuid4().hex}"'}),
            "complete_part_upload": lambda _: Given(body={}),
            "retrieve_presigned_url": lambda _: Given(body={"presigned_url": f"{server.url}/stored"}),
            "stored": lambda _: Given(200, b"less"),
        }
        with pytest.raises(TransferError, match="of another size"):
            _store(server, large, "video/mp4")


def test_digests_need_not_be_compared(small: Path) -> None:
    """Whoever knows that the storage gives none turns the comparison off."""
    with scripted() as server:
        session = Session(server.url, "token", make_transport(5, verify=True), RetryPolicy(base_delay=0))
        session.compare_digests = False
        server.answers += [_signed(server, "aws"), Given(204, b"", {"ETag": f'"{"0" * 32}"'})]
        with open_file(str(small)) as file:
            ObjectStorage(session, uuid4()).store(file, "data/a.jpg", "image/jpeg")
    assert len(server.asked) == 2
