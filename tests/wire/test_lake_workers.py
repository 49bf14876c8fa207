"""`lake serve --workers`: several processes answer, and nobody who asks them can tell."""

import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests

from benchmarks.load import request_bytes
from tests.lake_process import LakeProcess
from tests.wire.job_calls import finished, get_job, is_alive, launch, new_data, photo, register, wait_for, wait_for_line
from tests.wire.lake_api import LakeApi

WORKERS = 3
# So many fresh connections reach every process, but for one time in a thousand million.
CONNECTIONS = 60
SILENCE_SECONDS = 1.0
WAITS = ["-c", "import os, time; print('pid', os.getpid(), flush=True); time.sleep(600)"]


@contextmanager
def _several(folder: Path, database_url: str | None) -> Iterator[LakeProcess]:
    arguments = ("--workers", str(WORKERS))
    with LakeProcess(folder / "data", *arguments, database_url=database_url, is_preloaded=True) as lake:
        yield lake


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[], str | None]) -> Iterator[LakeProcess]:
    """Run a lake of several processes for all tests that need not stop it."""
    with _several(tmp_path_factory.mktemp("shared"), new_database()) as lake:
        yield lake


@pytest.fixture
def own_shared(tmp_path: Path, new_database: Callable[[], str | None]) -> Iterator[LakeProcess]:
    """Run a lake of several processes for one test alone."""
    with _several(tmp_path, new_database()) as lake:
        yield lake


class _FreshApi(LakeApi):
    """Makes a connection for every request, so that any process may be the one that answers."""

    def call(self, method: str, path: str, **options: object) -> requests.Response:
        self.http.headers["Connection"] = "close"
        return super().call(method, path, **options)


def _others(lake: LakeProcess) -> list[int]:
    """Return the pids of the processes beside the first."""
    found = Path(f"/proc/{lake.process.pid}/task").glob("*/children")
    children = [int(pid) for file in found for pid in file.read_text().split()]
    return [pid for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def _end_of(pid: int) -> bool:
    """Return True once a process has ended."""
    return wait_for(lambda: not is_alive(pid))


def _answered(sockets: list[socket.socket]) -> list[socket.socket]:
    """Return those of the sockets from which an answer comes before there is silence."""
    found = []
    with selectors.DefaultSelector() as selector:
        for each in sockets:
            selector.register(each, selectors.EVENT_READ, each)
        while ready := selector.select(SILENCE_SECONDS):
            for key, _ in ready:
                assert key.data.recv(1 << 16).startswith(b"HTTP/1.1 200")
                selector.unregister(key.data)
                found.append(key.data)
    return found


def test_every_process_answers(shared: LakeProcess) -> None:
    """While all but the first are held up, what came to them waits; then it is answered too."""
    ping = request_bytes("GET", "/api/home/ping", shared.token)
    others = _others(shared)
    for pid in others:
        os.kill(pid, signal.SIGSTOP)
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_connection(("127.0.0.1", shared.port))) for _ in range(CONNECTIONS)
        ]
        for each in sockets:
            each.sendall(ping)
        by_first = _answered(sockets)
        for pid in others:
            os.kill(pid, signal.SIGCONT)
        by_others = _answered([each for each in sockets if each not in by_first])

    assert len(others) == WORKERS - 1
    assert 0 < len(by_first) < CONNECTIONS
    assert len(by_first) + len(by_others) == CONNECTIONS


def test_what_one_process_writes_all_of_them_see(shared: LakeProcess) -> None:
    """Each count is right at once, data are looked at whoever took them, and nothing is there twice."""
    api = _FreshApi(shared)
    path = f"/api/datalake/{api.datalake}/datas"
    counts = []
    for _ in range(12):
        new_data(api)
        counts.append([api.get(path, params={"limit": 1}).json()["count"] for _ in range(4)])
    statuses = wait_for(
        lambda: [
            item["upload_status"]
            for item in api.get(path).json()["items"]
            if item["upload_status"] == "DONE" and item["meta"] == {"width": 8, "height": 6}
        ][11:]
    )

    assert counts == [[number] * 4 for number in range(1, 13)]
    assert statuses == ["DONE"]


def test_jobs_run_and_end_whoever_is_asked(shared: LakeProcess) -> None:
    """Started and killed over connections to any process; imports too."""
    api = _FreshApi(shared)
    register(shared, "waits", sys.executable, *WAITS)
    (shared.objects / "in.jpg").write_bytes(photo())
    ids = new_data(api)
    killed = []
    for _ in range(6):
        job = launch(api, "waits", ids)
        pid = int(wait_for_line(api, job, "pid"))
        api.post(f"/api/v2/job/{job}/kill")
        assert _end_of(pid)
        killed.append(get_job(api, job)["status"])
    imported = api.post(f"/api/datalake/{api.datalake}/objects", {"prefixes": ["in"]}).json()["job"]["id"]

    assert killed == ["KILLED"] * 6
    assert finished(api, imported)["progress"]["imported"] == 1


def test_a_process_that_dies_is_replaced(shared: LakeProcess) -> None:
    """The others go on, and the log says what happened."""
    dead = _others(shared)[0]
    os.kill(dead, signal.SIGKILL)
    there = wait_for(lambda: found if len(found := _others(shared)) == WORKERS - 1 and dead not in found else None)
    api = LakeApi(shared)

    assert len(there) == WORKERS - 1
    assert new_data(api)
    assert "a process of the lake has ended with code -9; another takes its place" in shared.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_all_end_with_the_first(own_shared: LakeProcess, number: signal.Signals) -> None:
    """However it ends; and the lake can be started again."""
    others = _others(own_shared)
    code = own_shared.stop(number)

    assert code == (0 if number == signal.SIGTERM else -signal.SIGKILL)
    assert wait_for(lambda: not any(is_alive(pid) for pid in others))
    own_shared.start()
    assert new_data(LakeApi(own_shared))


def test_a_process_that_hangs_does_not_keep_the_lake_from_ending(own_shared: LakeProcess) -> None:
    """It is ended with the others, after it had its time."""
    others = _others(own_shared)
    os.kill(others[0], signal.SIGSTOP)

    assert own_shared.stop() == 0
    assert wait_for(lambda: not any(is_alive(pid) for pid in others))
