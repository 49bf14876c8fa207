"""Work for a lake that is killed meanwhile, and a book of what it has acknowledged."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import requests

from tests.lake_process import LakeProcess
from tests.wire.job_calls import photo
from tests.wire.lake_api import LakeApi

PROGRAM = "kill test"
PART = 200_000
_PHOTO = photo()


@dataclass
class Book:
    """What was sent, and what the lake acknowledged; nothing of it may be lost."""

    sent: dict[str, str] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)
    data: dict[str, str] = field(default_factory=dict)
    tagged: dict[str, str] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    imports: dict[str, set[str]] = field(default_factory=dict)
    processings: list[str] = field(default_factory=list)

    @property
    def acknowledged(self) -> int:
        """How many writes."""
        kinds: tuple[Any, ...] = (self.stored, self.data, self.tagged, self.references, self.deleted, self.imports)
        return sum(map(len, (*kinds, self.processings)))


class Countdown:
    """Is set when so many calls have begun."""

    def __init__(self, calls: int) -> None:
        self._left = calls
        self._lock = threading.Lock()
        self.is_over = threading.Event()

    def count(self) -> None:
        """Note that a call begins."""
        with self._lock:
            self._left -= 1
            if self._left <= 0:
                self.is_over.set()


class Worker:
    """Calls the lake until it does not answer.

    :param lake: a running one, in which the processing ``kill test`` is registered.
    :param countdown: of the calls of all workers.
    """

    def __init__(self, lake: LakeProcess, ids: dict[str, str], book: Book, countdown: Countdown, seed: int) -> None:
        self._lake, self._ids, self._book, self._countdown = lake, ids, book, countdown
        self._random = Random(seed)
        self._http = requests.Session()
        self._http.headers["Authorization"] = f"Bearer {lake.token}"

    def run(self, work: Callable[["Worker"], None]) -> None:
        """Do some work again and again."""
        try:
            while True:
                work(self)
        except requests.ConnectionError:
            return

    def upload(self) -> None:
        """Upload a photo in one piece or in parts, make it a data, and change or delete it."""
        book, number = self._book, self._random.getrandbits(64)
        name, content = f"up/{number:016x}.jpg", _PHOTO + self._random.randbytes(self._random.randrange(2 * PART))
        book.sent[name] = hashlib.sha256(content).hexdigest()
        if len(content) > PART:
            self._send_parts(name, content)
        else:
            form = self._post(f"/api/object-storage/{self._ids['connector']}/generate_presigned_url", _typed(name))
            fields = form["presigned_url_data"]
            self._countdown.count()
            answer = self._http.post(fields["url"], data=fields["fields"], files={"file": content}, timeout=60)
            assert answer.status_code == 204, answer.text
        book.stored.add(name)
        lake = f"/api/datalake/{self._ids['datalake']}"
        body = _typed(name) | {
            "type": "IMAGE",
            "filename": name[3:],
            "tags": [self._ids["tag"]],
            "data_source_id": None,
        }
        data_id = self._post(f"{lake}/datas", body)["id"]
        book.data[name] = book.tagged[name] = data_id
        if number % 3 == 0:
            self._call("PATCH", f"/api/data/{data_id}", {"metadata": {"reference": name}})
            book.references[data_id] = name
        elif number % 3 == 1:
            # From now on it may be gone, though the lake did not say so.
            del book.data[name], book.tagged[name]
            book.stored.discard(name)
            self._call("DELETE", f"/api/data/{data_id}")
            book.deleted.add(data_id)

    def start_import(self) -> None:
        """Put photos into the bucket, and import them."""
        prefix = f"in/{self._random.getrandbits(64):016x}/"
        folder = self._lake.objects / prefix
        folder.mkdir(parents=True)
        names = {f"{prefix}{number:03}.jpg" for number in range(250)}
        for name in names:
            (self._lake.objects / name).write_bytes(_PHOTO)
        job = self._post(f"/api/datalake/{self._ids['datalake']}/objects", {"prefixes": [prefix], "tag_ids": []})["job"]
        self._book.imports[job["id"]] = names

    def launch(self) -> None:
        """Launch a processing."""
        body = {"processing_id": self._ids["processing"], "data_ids": [self._ids["data"]], "inputs": {}}
        job = self._post(f"/api/datalake/{self._ids['datalake']}/processing/launch", body)
        self._book.processings.append(job["id"])

    def _send_parts(self, name: str, content: bytes) -> None:
        base = f"/api/object-storage/{self._ids['connector']}"
        upload = {
            "object_name": name,
            "upload_id": self._post(f"{base}/init_multipart_upload", _typed(name))["upload_id"],
        }
        parts = []
        for number, start in enumerate(range(0, len(content), PART), 1):
            url = self._post(f"{base}/generate_part_presigned_url", upload | {"part_no": number})["url"]
            self._countdown.count()
            answer = self._http.put(url, data=content[start : start + PART], timeout=60)
            parts.append({"ETag": answer.headers["etag"], "PartNumber": number})
        self._post(f"{base}/complete_part_upload", upload | {"parts": parts})

    def _post(self, path: str, body: object) -> Any:
        return self._call("POST", path, body).json()

    def _call(self, method: str, path: str, body: object = None) -> requests.Response:
        self._countdown.count()
        answer = self._http.request(method, f"{self._lake.url}{path}", json=body, timeout=60)
        assert answer.status_code < 400, answer.text
        return answer


def _typed(name: str) -> dict[str, Any]:
    return {"object_name": name, "content_type": "image/jpeg"}


def new_ids(api: LakeApi) -> dict[str, str]:
    """Make what the workers need, and return the ids."""
    found = api.get(f"/api/organization/{api.organization}/processings/find", params={"name": PROGRAM}).json()
    return {
        "connector": api.connector,
        "datalake": api.datalake,
        "processing": found["id"],
        "tag": api.post(f"/api/datalake/{api.datalake}/tags", {"name": "sent"}).json()["id"],
        "data": api.register("a.jpg", api.upload("a.jpg", photo())).json()["id"],
    }
