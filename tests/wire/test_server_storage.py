"""Bytes in and out of the lake by signed URLs."""

import hashlib
import json
import os
import socket
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import requests

from tests.lake_process import LakeProcess
from tests.wire.lake_api import LakeApi


def _send(form: dict[str, Any], content: bytes) -> requests.Response:
    return requests.post(form["url"], data=form["fields"], files={"file": content}, timeout=60)


def _files(lake: LakeProcess) -> set[Path]:
    """Return all objects but the thumbnails, which may come at any time."""
    return {path for path in lake.objects.rglob("*") if path.is_file() and not path.name.endswith("-thumbnail.jpg")}


def test_a_form_upload_is_stored_byte_for_byte(api: LakeApi, lake: LakeProcess) -> None:
    """Under its object name, answered with the MD5 as ETag; nothing is left in staging."""
    content = os.urandom(3_000_001)
    form = api.presign("up/load.bin")

    answer = _send(form, content)

    assert answer.status_code == 204
    assert answer.headers["etag"] == f'"{hashlib.md5(content).hexdigest()}"'  # noqa: S324 - the name of a version, not a secret
    assert (lake.objects / "up/load.bin").read_bytes() == content
    assert list((lake.data_dir / "staging").iterdir()) == []


def test_content_that_looks_like_a_boundary_arrives_whole(api: LakeApi, lake: LakeProcess) -> None:
    """The form is parsed as a stream: its separators may lie anywhere in the bytes, and on their borders."""
    content = b"\r\n--boundary\r\n--" * 50_000 + b"\r\n--"

    assert _send(api.presign("tricky.bin"), content).status_code == 204
    assert (lake.objects / "tricky.bin").read_bytes() == content


def test_a_changed_policy_is_refused(api: LakeApi, lake: LakeProcess) -> None:
    """Another object, a larger size or a later expiry need another signature."""
    before = _files(lake)
    form = api.presign("policy.bin")
    for change in ({"object_name": "other.bin"}, {"max_bytes": 1 << 60}, {"expires": 1 << 60}):
        fields = dict(form["fields"])
        policy = json.loads(urlsafe_b64decode(fields["policy"])) | change
        fields["policy"] = urlsafe_b64encode(json.dumps(policy).encode()).decode()
        assert _send({"url": form["url"], "fields": fields}, b"x").status_code == 403
    fields = dict(form["fields"]) | {"key": "other.bin"}
    assert _send({"url": form["url"], "fields": fields}, b"x").status_code == 403

    assert _files(lake) == before


def test_a_form_of_another_content_type_is_refused(api: LakeApi, lake: LakeProcess) -> None:
    """Where the form names a type at all, it is the one that was signed."""
    form, before = api.presign("typed.jpg", "image/jpeg"), _files(lake)
    form["fields"] |= {"Content-Type": "text/html"}

    assert _send(form, b"content").status_code == 403
    assert _files(lake) == before


def test_a_body_that_is_cut_off_stores_nothing(api: LakeApi, lake: LakeProcess) -> None:
    """Neither an object nor a rest in staging."""
    form = api.presign("cut.bin")
    request = requests.Request("POST", str(form["url"]), data=form["fields"], files={"file": b"x" * 100_000}).prepare()
    body = request.body
    assert isinstance(body, bytes)
    place = urlsplit(str(form["url"]))
    head = f"POST {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: {len(body)}\r\n"
    head += f"Content-Type: {request.headers['Content-Type']}\r\n\r\n"

    with socket.create_connection((place.hostname, place.port)) as connection:
        connection.sendall(head.encode() + body[: len(body) // 2])
    whole = api.upload("whole.jpg", b"the lake goes on")

    assert not (lake.objects / "cut.bin").exists()
    assert (lake.objects / whole).exists()


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data", ""])
def test_what_is_no_form_is_refused(api: LakeApi, content_type: str) -> None:
    """With a message that says what is wanted."""
    answer = api.post("/storage/form", data=b"words", headers={"Content-Type": content_type})

    assert answer.status_code == 400
    assert "multipart/form-data" in answer.json()["message"]


def test_an_object_is_downloaded_whole_in_ranges_and_described(api: LakeApi) -> None:
    """GET, GET with a range, and HEAD."""
    content = os.urandom(100_000)
    name = api.upload("down.jpg", content)
    url = api.post(f"/api/object-storage/{api.connector}/retrieve_presigned_url", {"object_name": name}).json()
    url = url["presigned_url"]

    whole = requests.get(url, timeout=60)
    part = requests.get(url, headers={"Range": "bytes=10-19"}, timeout=60)
    tail = requests.get(url, headers={"Range": "bytes=-5"}, timeout=60)
    beyond = requests.get(url, headers={"Range": "bytes=100000-"}, timeout=60)
    head = requests.head(url, timeout=60)

    assert (whole.content, whole.headers["content-type"]) == (content, "image/jpeg")
    assert (part.status_code, part.content) == (206, content[10:20])
    assert part.headers["content-range"] == "bytes 10-19/100000"
    assert tail.content == content[-5:]
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */100000")
    assert (head.headers["content-length"], head.content) == ("100000", b"")
    assert head.headers["etag"] == part.headers["etag"] == whole.headers["etag"]


@pytest.mark.parametrize(("first", "second"), [("way", "way/in.jpg"), ("road/in.jpg", "road")])
def test_a_name_is_a_file_or_a_folder(own_lake: LakeProcess, first: str, second: str) -> None:
    """Where the bucket is a folder, no object can be both; the first one stays."""
    api = LakeApi(own_lake)
    _send(api.presign(first), b"first")

    answer = _send(api.presign(second), b"second")

    assert (answer.status_code, second in answer.json()["message"]) == (409, True)
    assert (own_lake.objects / first).read_bytes() == b"first"
    assert list((own_lake.data_dir / "staging").iterdir()) == []


def test_a_changed_download_url_is_refused(api: LakeApi) -> None:
    """Another object, another expiry, or no signature at all."""
    first, second = api.upload("one.jpg", b"one"), api.upload("two.jpg", b"two")
    url = api.post(f"/api/object-storage/{api.connector}/retrieve_presigned_url", {"object_name": first}).json()
    url = url["presigned_url"]

    wrong = [url.replace(first, second), url.replace("expires=", "expires=9"), url.partition("?")[0]]

    assert [requests.get(each, timeout=60).status_code for each in wrong] == [403, 403, 403]


def test_parts_become_one_object(api: LakeApi, lake: LakeProcess) -> None:
    """In the order of their numbers; completing again after a lost answer changes nothing."""
    base, name = f"/api/object-storage/{api.connector}", f"multi/{uuid4()}.mp4"
    begun = api.post(f"{base}/init_multipart_upload", {"object_name": name, "content_type": "video/mp4"}).json()
    upload = {"object_name": name, "upload_id": begun["upload_id"]}
    contents = {2: b"second" * 1000, 1: b"first" * 1000}
    parts = []
    for number, content in contents.items():
        url = api.post(f"{base}/generate_part_presigned_url", upload | {"part_no": number}).json()["url"]
        parts.append({"ETag": requests.put(url, data=content, timeout=60).headers["etag"], "PartNumber": number})

    wrong = [dict(parts[0], ETag='"0"'), parts[1]]
    assert api.post(f"{base}/complete_part_upload", upload | {"parts": wrong}).status_code == 400
    assert not (lake.objects / name).exists()
    for _ in range(2):
        assert api.post(f"{base}/complete_part_upload", upload | {"parts": parts}).status_code == 200
    assert (lake.objects / name).read_bytes() == contents[1] + contents[2]
    assert not (lake.data_dir / "staging" / begun["upload_id"]).exists()
    assert requests.put(url, data=b"late", timeout=60).status_code == 409
    assert not (lake.data_dir / "staging" / begun["upload_id"]).exists()


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "a//b", "a/./b", "a\\b", "a\0b", "", "x" * 2000, "a/" * 400])
def test_a_name_that_could_lead_out_of_the_store_is_refused(api: LakeApi, lake: LakeProcess, name: str) -> None:
    """On every route that takes an object name, with a message, and nothing is written."""
    before = _files(lake)
    typed = {"object_name": name, "content_type": "image/jpeg"}
    upload = {"object_name": name, "upload_id": str(uuid4())}
    base = f"/api/object-storage/{api.connector}"

    answers = [
        api.post(f"{base}/generate_presigned_url", typed),
        api.post(f"{base}/retrieve_presigned_url", {"object_name": name}),
        api.post(f"{base}/init_multipart_upload", typed),
        api.post(f"{base}/generate_part_presigned_url", upload | {"part_no": 1}),
        api.post(f"{base}/complete_part_upload", upload | {"parts": [{"ETag": "x", "PartNumber": 1}]}),
        api.register("a.jpg", name),
        api.register(name + "/", "fine.jpg"),
    ]

    assert {answer.status_code for answer in answers} <= {400, 422}
    assert all(answer.json()["message"] for answer in answers)
    assert _files(lake) == before
