"""The lake's end of the recorded wire: the published client's own requests get the answers that it understands."""

import json
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import requests
from PIL import Image

from airflow_provider_lake.cli.main import main
from tests.lake_process import LakeProcess

EXCHANGES = [
    json.loads(line) for line in Path(__file__).with_name("reference_exchanges.jsonl").read_text().splitlines()
]
PART_BYTES = 26_214_400
PROCESSING = "auto"
# What a form's signature is made of is the storage's own business; `polls` and `data_ids` of a job are the recorder's.
_OWN = {"policy", "x-amz-signature", "polls", "data_ids"}


class Replay:
    """Sends the recorded requests to a lake, one after the other.

    The record has names such as ``{tag_car}`` where ids were. Each is bound to what the lake answers in its place, and
    later requests carry that. The record's bytes are not kept: an image of ours goes in their place, to wherever the
    lake signed it to go.
    """

    def __init__(self, lake: LakeProcess) -> None:
        self.lake = lake
        self.bound: dict[str, str] = {}
        self.form: dict[str, Any] = {}
        self.part_url = ""
        self.etags: list[str] = []
        self.object_urls: dict[str, str] = {}

    def send(self, exchange: dict[str, Any]) -> requests.Response:
        """Send one request, and take from its answer what later ones need."""
        path = exchange["path"]
        if path.startswith("/storage/"):
            return self._send_bytes(exchange["method"], path)
        body = self._fill(exchange["body"])
        if path.endswith("/complete_part_upload"):
            for part, etag in zip(body["parts"], self.etags, strict=True):
                part["ETag"] = etag
        answer = requests.request(
            exchange["method"],
            self.lake.url + self._fill(path),
            params=self._fill(exchange["query"]),
            json=body,
            headers={"Authorization": f"Bearer {self.lake.token}"},
            timeout=60,
        )
        if answer.content and answer.ok:
            self._learn(exchange["response"], answer.json())
        return answer

    def _send_bytes(self, method: str, path: str) -> requests.Response:
        if method == "POST":
            file = BytesIO()
            Image.new("RGB", (64, 48)).save(file, "PNG")
            url, fields = self.form["url"], self.form["fields"]
            return requests.post(url, data=fields, files={"file": file.getvalue()}, timeout=60)
        if method == "PUT":
            content = b"\0" * (PART_BYTES if path.endswith("/1") else 1 << 20)
            answer = requests.put(self.part_url, data=content, timeout=60)
            self.etags.append(answer.headers["ETag"])
            return answer
        return requests.get(self.object_urls[path.removeprefix("/storage/get/")], timeout=60)

    def _learn(self, recorded: Any, answered: Any) -> None:
        if answered is None:
            return
        match recorded:
            case dict():
                if "presigned_url_data" in recorded:
                    self.form = answered["presigned_url_data"]
                elif set(recorded) == {"url"}:
                    self.part_url = answered["url"]
                elif "object_name" in recorded and "presigned_url" in recorded:
                    self.object_urls[recorded["object_name"]] = answered["presigned_url"]
                for name in recorded.keys() & answered.keys():
                    self._learn(recorded[name], answered[name])
            case list():
                for one, other in zip(recorded, answered, strict=False):
                    self._learn(one, other)
            case str() if "{" in recorded and "{host}" not in recorded:
                self.bound.setdefault(recorded, answered)

    def _fill(self, value: Any) -> Any:
        match value:
            case dict():
                return {self._fill(name): self._fill(each) for name, each in value.items()}
            case list():
                return [self._fill(each) for each in value]
            case str():
                if value in self.bound:
                    return self.bound[value]
                return "/".join(self.bound.get(segment, segment) for segment in value.split("/"))
        return value


def _shape_problems(recorded: Any, answered: Any, place: str = "") -> list[str]:
    """Say what the record has and the answer lacks; more than the record has is welcome."""
    if isinstance(recorded, dict) and isinstance(answered, dict):
        missing = [f"{place}.{name} is missing" for name in recorded.keys() - answered.keys() - _OWN]
        both = recorded.keys() & answered.keys()
        return missing + [
            each for name in both for each in _shape_problems(recorded[name], answered[name], f"{place}.{name}")
        ]
    if isinstance(recorded, list) and isinstance(answered, list):
        pairs = zip(recorded, answered, strict=False)
        return [each for pair in pairs for each in _shape_problems(*pair, f"{place}[]")]
    if recorded is None or answered is None or type(recorded) is type(answered):
        return []
    return [f"{place} is {answered!r}, not like {recorded!r}"]


def test_the_lake_answers_every_recorded_request(own_lake: LakeProcess) -> None:
    """All 81, in their order: the same status, and at least the fields of the record, each of its type."""
    replay = Replay(own_lake)
    problems = []
    for number, exchange in enumerate(EXCHANGES, 1):
        if exchange["path"].endswith("/processing/launch"):
            # On the platform the processing is a container; here it needs a command to run.
            command = [PROCESSING, "--", sys.executable, "-c", "pass"]
            assert main(["processing", "register", "--data-dir", str(own_lake.data_dir), *command]) == 0
        answer = replay.send(exchange)
        place = f"{number} {exchange['method']} {exchange['path']}"
        if answer.status_code != exchange["status"]:
            problems.append(f"{place}: {answer.status_code} {answer.text}, not {exchange['status']}")
        elif exchange["response"] is not None:
            problems += [f"{place}: {each}" for each in _shape_problems(exchange["response"], answer.json())]

    assert len(EXCHANGES) == 81
    assert problems == []
