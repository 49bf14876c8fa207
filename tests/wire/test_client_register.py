"""How a file becomes a data on lakes that answer in other ways than ours."""

from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from PIL import Image

from airflow_provider_lake.client import (
    Data,
    Datalake,
    DataTimeoutError,
    ErrorManager,
    NothingDoneError,
    RetryPolicy,
    TransferError,
    UnprocessableDataError,
    UploadError,
    UsageError,
)
from airflow_provider_lake.client import uploads as upload
from airflow_provider_lake.client.transfers.storage import PART_SIZE
from airflow_provider_lake.client.transport.session import Session, make_transport
from tests.wire.scripted import Given, Script, scripted

LAKE_ID = uuid4()
DATA_ID = uuid4()
NAMED = Given(body={"object_name": "data/a.png"})
STORED = Given(204, b"")


def _datalake(server: Script, retry: RetryPolicy | None = None) -> Datalake:
    session = Session(server.url, "token", make_transport(5, verify=True), retry or RetryPolicy(base_delay=0))
    return Datalake(LAKE_ID, session, "default", uuid4())


def _signed(server: Script) -> Given:
    form = {"url": f"{server.url}/bucket", "fields": {}}
    return Given(body={"client_type": "aws", "presigned_url_data": form})


def _data(status: str = "DONE", data_id: UUID = DATA_ID) -> dict[str, object]:
    return {
        "id": str(data_id),
        "object_name": "data/a.png",
        "filename": "a.png",
        "type": "IMAGE",
        "content_type": "image/png",
        "upload_status": status,
    }


def _page(*data: dict[str, object]) -> Given:
    return Given(body={"items": list(data), "count": len(data)})


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Make an image."""
    path = tmp_path / "a.png"
    Image.new("RGB", (8, 8)).save(path)
    return path


@pytest.mark.parametrize(
    "answer", [Given(208, {"message": "exists"}), Given(208, b""), Given(409, {"message": "taken"})]
)
def test_an_object_that_is_a_data_already(image: Path, answer: Given) -> None:
    """However a lake says so, the data that is there is the result."""
    with scripted() as server:
        server.answers += [NAMED, _signed(server), STORED, answer, Given(body=_data())]
        data = _datalake(server).upload_data(image)

    assert isinstance(data, Data)
    assert data.id == DATA_ID
    assert "/datas/find?object_name=data%2Fa.png" in server.asked[-1].path


def test_a_failing_lake_is_asked_what_it_did(image: Path) -> None:
    """After a 500 the data is looked up; it is not there, and the failure is the error."""
    with scripted() as server:
        server.answers += [
            NAMED,
            _signed(server),
            STORED,
            Given(500, {"message": "oh"}),
            Given(404, {"message": "none"}),
        ]
        with pytest.raises(UploadError, match=r"a\.png: oh \(500 to POST"):
            _datalake(server).upload_data(image)


def test_a_gateway_without_lake_is_tried_again(image: Path) -> None:
    """After a 502 the data is looked up, and registered when it is not there."""
    with scripted() as server:
        server.answers += [NAMED, _signed(server), STORED, Given(502), Given(404), Given(201, _data())]
        _datalake(server).upload_data(image)

    assert [asked.method for asked in server.asked[3:]] == ["POST", "GET", "POST"]


@pytest.mark.parametrize(
    ("looks", "reason"),
    [
        ([_page(_data("ERROR"))], "cannot be processed: the lake does not say why"),
        ([_page(_data("COMPUTING")), _page()], "not processed so far: it is gone"),
        ([_page(_data("COMPUTING")), Given(403, {"message": "no more"})], "not processed so far: no more"),
    ],
)
def test_what_becomes_of_a_data_is_told(image: Path, looks: list[Given], reason: str) -> None:
    """A data that the lake does not finish is an error that carries it."""
    errors = ErrorManager()
    with scripted() as server:
        server.answers += [NAMED, _signed(server), STORED, Given(201, _data("PENDING")), *looks]
        with pytest.raises(NothingDoneError):
            _datalake(server).upload_data(image, error_manager=errors)
    error = errors.errors[0]

    assert isinstance(error, UnprocessableDataError)
    assert error.data.id == DATA_ID
    assert reason in str(errors)
    errors.clear()
    assert not errors.has_errors()


def test_patience_ends(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lake that makes no progress is not waited for without end."""
    monkeypatch.setattr(upload, "NO_PROGRESS_SECONDS", 0)
    with scripted() as server:
        server.answers += [NAMED, _signed(server), STORED, Given(201, _data("PENDING")), _page(_data("PENDING"))]
        with pytest.raises(UnprocessableDataError, match="no progress in 0 s"):
            _datalake(server).upload_data(image)


def _large(folder: Path) -> Path:
    path = folder / "large.mp4"
    with path.open("wb") as file:
        file.truncate(PART_SIZE + 1)
    return path


def _parts(server: Script, headers: Mapping[str, str]) -> list[Given]:
    """Have a server take parts, answered with these headers; return what else it answers up to then."""
    server.places["generate_part_presigned_url"] = lambda _asked: Given(body={"url": f"{server.url}/part"})
    server.places["part"] = lambda _asked: Given(200, b"", headers)
    return [NAMED, Given(body={"client_type": "aws", "upload_id": "u"})]


@pytest.mark.parametrize(
    ("found", "is_stored"),
    [
        (lambda: Given(200, b"x" * (PART_SIZE + 1)), True),
        (lambda: Given(200, b"other"), False),
        (lambda: Given(404, b""), False),
    ],
)
def test_parts_that_are_together_already(tmp_path: Path, found: Callable[[], Given], is_stored: bool) -> None:
    """When the last step is refused, the object itself tells whether an earlier attempt succeeded."""
    with scripted() as server:
        refused = Given(404, {"message": "no such upload"})
        server.answers += [*_parts(server, {"ETag": "e"}), Given(503), refused]
        server.answers += [Given(body={"presigned_url": f"{server.url}/object"}), found(), Given(201, _data())]
        datalake, path = _datalake(server), _large(tmp_path)
        if is_stored:
            datalake.upload_data(path)
        else:
            with pytest.raises(UploadError, match="no such upload"):
                datalake.upload_data(path)


def test_a_part_without_etag(tmp_path: Path) -> None:
    """What cannot be put together later is an error now."""
    with scripted() as server:
        server.answers += _parts(server, {})
        with pytest.raises(UploadError, match="without naming its ETag") as caught:
            _datalake(server).upload_data(_large(tmp_path))

    assert isinstance(caught.value.cause, TransferError)


def test_a_datalake_without_storage(image: Path) -> None:
    """It can take nothing, and says so before anything is sent."""
    with scripted() as server:
        session = _datalake(server).session
        with pytest.raises(UsageError, match="datalake 'bare' has no connector"):
            Datalake(LAKE_ID, session, "bare", None).upload_data(image, tags="car")

    assert server.asked == []


def test_a_wait_for_data_ends() -> None:
    """When the looks are spent the error carries what is not processed; one of them or several."""
    pending, done = _data("COMPUTING"), _data("DONE", uuid4())
    with scripted() as server:
        datalake = _datalake(server)
        server.answers += [_page(pending, done)]
        data = datalake.list_data()
        server.answers += [_page(pending)] * 2
        with pytest.raises(DataTimeoutError, match=r"1 data are not processed yet, first a\.png") as caught:
            data.wait_for_upload_done(0, 2)
        server.answers += [_page(_data("ERROR"))]
        assert [each.upload_status for each in data.wait_for_upload_done(0, 1)] == ["ERROR", "DONE"]
        server.answers += [Given(body=pending)] * 2
        with pytest.raises(DataTimeoutError):
            data[0].wait_for_upload_done(0, 2)

    assert caught.value.data == [data[0]]
