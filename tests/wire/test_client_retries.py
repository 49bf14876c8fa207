"""One loop, one policy: attempts and total waits mean what they say, whatever the client does."""

import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from airflow_provider_lake.client import Client, Data, Datalake, LakeError, RetryPolicy, UploadStatus
from airflow_provider_lake.client.transport.session import Session, make_transport
from tests.wire.scripted import Asked, Given, Script, scripted

BUSY = Given(503, {"message": "busy"})
LOST = Given(502, {"message": "lost"})
GONE = Given(404, {"message": "none"})


def _datalake(server: Script, retry: RetryPolicy) -> Datalake:
    session = Session(server.url, "token", make_transport(5, verify=True), retry)
    session.organization_id = uuid4()
    return Datalake(uuid4(), session, "default", uuid4())


def _answer_all_but(server: Script, failing: dict[str, Callable[[Asked], Given]]) -> None:
    form = {"url": f"{server.url}/bucket", "fields": {}}
    server.places |= {
        "generate_object_name": lambda _: Given(body={"object_name": "data/a.png"}),
        "generate_presigned_url": lambda _: Given(body={"client_type": "aws", "presigned_url_data": form}),
        "bucket": lambda _: Given(204, b""),
        **failing,
    }


def _count(server: Script, method: str, end: str) -> int:
    return sum(each.method == method and each.path.partition("?")[0].endswith(end) for each in server.asked)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Make an image."""
    path = tmp_path / "a.png"
    Image.new("RGB", (4, 4)).save(path)
    return path


@pytest.mark.parametrize(
    ("place", "method", "end", "refusal"),
    [
        ("datas", "POST", "/datas", BUSY),
        ("datas", "POST", "/datas", LOST),
        ("generate_object_name", "POST", "/generate_object_name", BUSY),
        ("generate_presigned_url", "POST", "/generate_presigned_url", BUSY),
        ("bucket", "POST", "/bucket", BUSY),
    ],
    ids=["registration", "unclear registration", "name", "signature", "transfer"],
)
@pytest.mark.parametrize("attempts", [1, 3, 5])
def test_an_upload_makes_as_many_attempts_as_the_policy_says(
    image: Path, place: str, method: str, end: str, refusal: Given, attempts: int
) -> None:
    """Whichever step fails while all others work is tried so often, and no more."""
    with scripted(*[GONE] * attempts) as server:
        _answer_all_but(server, {place: lambda _: refusal})
        with pytest.raises(LakeError):
            _datalake(server, RetryPolicy(attempts=attempts, base_delay=0)).upload_data(image)
    assert _count(server, method, end) == attempts


@pytest.mark.parametrize("refusal", [BUSY, LOST])
def test_a_registration_waits_no_longer_than_the_total(image: Path, refusal: Given) -> None:
    """Of many attempts only those are made whose waits fit."""
    policy = RetryPolicy(attempts=50, base_delay=0.2, max_delay=0.2, total=0.4)
    with scripted(*[GONE] * 50) as server:
        _answer_all_but(server, {"datas": lambda _: refusal})
        started = time.monotonic()
        with pytest.raises(LakeError):
            _datalake(server, policy).upload_data(image)
    assert time.monotonic() - started < 2


def test_a_refusal_that_asks_to_wait_longer_than_the_total_ends_at_once(image: Path) -> None:
    """``Retry-After`` beyond what the policy allows is not waited for, once or five times."""
    with scripted() as server:
        _answer_all_but(server, {"datas": lambda _: Given(503, {"message": "busy"}, {"Retry-After": "6"})})
        with pytest.raises(LakeError):
            _datalake(server, RetryPolicy(total=5)).upload_data(image)
    assert _count(server, "POST", "/datas") == 1


def test_a_download_makes_its_attempts_all_together() -> None:
    """A storage that is down costs as many attempts as the policy says, with a URL that is too old and a fresh one."""
    answers = [BUSY, Given(403, b"too old"), BUSY]
    with scripted() as server:
        server.places = {
            "bytes": lambda _: answers.pop(0) if answers else BUSY,
            "presigned-url": lambda _: Given(body={"presigned_url": f"{server.url}/bytes"}),
        }
        session = Session(server.url, "token", make_transport(5, verify=True), RetryPolicy(attempts=4, base_delay=0))
        url = f"{server.url}/bytes"
        data = Data(uuid4(), session, uuid4(), "o", "a.png", "IMAGE", "image/png", UploadStatus.DONE, url=url)
        with pytest.raises(LakeError):
            data.read()
    assert _count(server, "GET", "/bytes") == 4


@pytest.mark.parametrize("attempts", [1, 4])
def test_a_job_is_asked_for_as_often_as_the_policy_says(attempts: int) -> None:
    """A lake that turns it away has started nothing, so it is asked again; not more often than the policy says."""
    with scripted(*[BUSY] * attempts) as server, pytest.raises(LakeError):
        _datalake(server, RetryPolicy(attempts=attempts, base_delay=0)).import_bucket_objects(["a/"])
    assert len(server.asked) == attempts


def test_a_client_is_made_in_as_many_attempts_as_the_policy_says() -> None:
    """Also the first question of all."""
    with scripted(*[BUSY] * 3) as server, pytest.raises(LakeError):
        Client("token", host=server.url, retry=RetryPolicy(attempts=3, base_delay=0))
    assert len(server.asked) == 3
