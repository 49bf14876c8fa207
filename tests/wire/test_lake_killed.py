"""A lake that is killed by SIGKILL at random moments, and started again: what it acknowledged is there."""

import hashlib
import json
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.lake_process import LakeProcess
from tests.wire.job_calls import finished, is_alive, register, wait_for
from tests.wire.lake_api import LakeApi
from tests.wire.lake_load import PROGRAM, Book, Countdown, Worker, new_ids

CALLS = 100
MAX_DELAY = 0.02
# Half of the programs are heard of before they end.
CODE = """
import os, pathlib, random, sys, time
with open({pids!r}, "a") as file:
    print(os.getpid(), file=file, flush=True)
if random.random() < 0.5:
    print("heard", flush=True)
time.sleep(random.random())
"""
ALLOWED_ERRORS = (None, "the lake ended while the processing ran")


@pytest.mark.timeout(0)  # each of its waits has an end
def test_a_killed_lake_loses_nothing_that_it_acknowledged(
    tmp_path: Path, request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> None:
    """Uploads in one piece and in parts, data, changes, deletions and jobs, over as many kills as are asked for.

    After each start no object is there in part. In the end every import has brought in each of its objects once, every
    processing has ended well or says that the lake ended, and no program runs on.
    """
    kills, random = request.config.getoption("--kills"), Random(request.config.getoption("--kill-seed"))
    book, pids = Book(), tmp_path / "pids"
    with LakeProcess(tmp_path / "data", is_preloaded=True) as lake:
        register(lake, PROGRAM, sys.executable, "-c", CODE.format(pids=str(pids)))
        ids = new_ids(LakeApi(lake))
        for _ in range(kills):
            _kill_at_work(lake, ids, book, random)
            assert wait_for(lambda: not any(map(is_alive, _pids(pids))))
            _check_objects(lake, book)
            lake.start()
        api = LakeApi(lake)
        _check_jobs(api, book)
        _check_data(lake, api, book)
    figures = {"kills": kills, "acknowledged": book.acknowledged, "lost": 0}
    record_property("figures", json.dumps(figures))
    sys.stdout.write(f"{figures}\n")


def _kill_at_work(lake: LakeProcess, ids: dict[str, str], book: Book, random: Random) -> None:
    countdown = Countdown(random.randrange(1, CALLS))
    works = [Worker.upload] * 3 + [Worker.start_import] * (len(book.imports) < 40) + [Worker.launch]
    failures: list[BaseException] = []

    def work(kind: Callable[[Worker], None], seed: int) -> None:
        try:
            Worker(lake, ids, book, countdown, seed).run(kind)
        except BaseException as error:  # noqa: BLE001 - told below, in the test's own thread
            failures.append(error)
            countdown.is_over.set()

    threads = [threading.Thread(target=work, args=(kind, random.getrandbits(64))) for kind in works]
    for thread in threads:
        thread.start()
    countdown.is_over.wait()
    time.sleep(random.uniform(0, MAX_DELAY))  # any moment of whatever is under way
    lake.stop(signal.SIGKILL)
    for thread in threads:
        thread.join()
    assert failures == []


def _pids(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def _check_objects(lake: LakeProcess, book: Book) -> None:
    """While the lake is down: what lies in the bucket under a name is all that was sent."""
    found = {f"up/{path.name}": path for path in (lake.objects / "up").glob("*") if path.name.endswith(".jpg")}
    half = [name for name, path in found.items() if hashlib.sha256(path.read_bytes()).hexdigest() != book.sent[name]]

    assert half == []
    assert book.stored - found.keys() == set()
    with closing(sqlite3.connect(lake.data_dir / "lake.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def _check_jobs(api: LakeApi, book: Book) -> None:
    # In the order of the queue, so that each is waited for only behind the one before it.
    for job_id in book.processings:
        job = finished(api, job_id)
        assert (job["status"] == "SUCCEEDED") == (job["error"] is None), job
        assert job["error"] in ALLOWED_ERRORS or "given up after 10 attempts" in job["error"]
    for job_id, names in book.imports.items():
        job = finished(api, job_id)
        assert (job["status"], job["error"]) == ("SUCCEEDED", None)
        assert job["progress"]["done"] == job["progress"]["imported"] == len(names)


def _check_data(lake: LakeProcess, api: LakeApi, book: Book) -> None:
    listed = list(_all_data(api))
    by_name = {item["object_name"]: item for item in listed}
    names = {name for found in book.imports.values() for name in found}

    assert len(by_name) == len(listed)  # none twice
    assert {name: by_name[name]["id"] for name in book.data} == book.data
    assert all([tag["name"] for tag in by_name[name]["tags"]] == ["sent"] for name in book.tagged)
    assert {item["id"]: item["metadata"]["reference"] for item in listed if item["id"] in book.references} == (
        book.references
    )
    assert not book.deleted & {item["id"] for item in listed}
    assert names <= by_name.keys()
    assert all((lake.objects / item["object_name"]).is_file() for item in listed)
    assert not list((lake.data_dir / "staging").rglob("*.arriving"))


def _all_data(api: LakeApi) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.get(
            f"/api/datalake/{api.datalake}/datas", params={"limit": 1000} | ({"cursor": cursor} if cursor else {})
        )
        found += page.json()["items"]
        cursor = page.json()["next_cursor"]
    return found
