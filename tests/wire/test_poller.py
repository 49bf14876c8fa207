"""The poller that all waits of a triggerer on one connection share."""

import asyncio
import json
import logging
import selectors
import subprocess
import sys
import threading
from types import ModuleType
from typing import Any

import pycurl
import pytest

from airflow_provider_lake.client import NotFoundError, RateLimitedError
from airflow_provider_lake.triggers.events import require_ended
from airflow_provider_lake.triggers.job import JobTrigger
from airflow_provider_lake.triggers.polling import schedule as poller_schedule
from airflow_provider_lake.triggers.polling import thread as poller_thread
from airflow_provider_lake.triggers.polling.poller import shared_poller
from airflow_provider_lake.triggers.polling.schedule import Schedule
from tests.lake_process import LakeProcess
from tests.wire.job_server import JobServer, job_server

ENDED = {"status": "ended"}


async def _fire(job_id: str, **options: Any) -> dict[str, Any]:
    trigger = JobTrigger(job_id=job_id, poll_interval=0.01, **options)
    payload: dict[str, Any] = (await anext(trigger.run())).payload
    return payload


async def _fire_all(*job_ids: str) -> list[dict[str, Any]]:
    return await asyncio.gather(*(_fire(job_id) for job_id in job_ids))


def _fail(*_arguments: Any) -> None:
    raise ZeroDivisionError("a fault of ours")


def _use(server: JobServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", server.connection)


def test_many_who_wait_for_one_job_look_at_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty triggers, three looks until the job has ended: three requests, and all fifty fire."""
    with job_server(lambda _job, number: "RUNNING" if number < 3 else "SUCCEEDED") as server:
        _use(server, monkeypatch)
        payloads = asyncio.run(_fire_all(*["one"] * 50))

    assert payloads == [ENDED] * 50
    assert server.looks == {"one": 3}


def test_the_requests_under_way_are_bounded_and_their_connections_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty jobs, each looked at three times, by at most four requests at a time over at most four connections."""
    monkeypatch.setattr(poller_thread, "MAX_IN_FLIGHT", 4)
    full = threading.Barrier(4)

    def look(_job: str, number: int) -> str:
        full.wait(30)  # breaks unless four requests come at a time
        return "RUNNING" if number < 3 else "SUCCEEDED"

    with job_server(look) as server:
        _use(server, monkeypatch)
        payloads = asyncio.run(_fire_all(*[f"job-{number}" for number in range(40)]))

    assert payloads == [ENDED] * 40
    assert server.crowd == 4
    assert server.connections == 4
    assert set(server.looks.values()) == {3}


def test_a_poller_ends_with_the_last_who_uses_it_and_the_next_reads_the_connection_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two lakes after each other under the same connection id, in one event loop."""

    async def one_after_the_other() -> list[dict[str, Any]]:
        fired = []
        for server in servers:
            _use(server, monkeypatch)
            fired.append(await _fire("job"))
        return fired

    with job_server(lambda _job, _number: "SUCCEEDED") as first, job_server(lambda _job, _number: "FAILED") as second:
        servers = (first, second)
        assert asyncio.run(one_after_the_other()) == [ENDED, ENDED]
    assert (first.looks, second.looks) == ({"job": 1}, {"job": 1})
    assert not [thread for thread in threading.enumerate() if thread.name == "lake-poller" and not _ends(thread)]


def _ends(thread: threading.Thread) -> bool:
    thread.join(30)
    return not thread.is_alive()


def test_a_new_token_is_used_while_others_still_wait_with_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the lake has refused the old one, whoever comes gets a poller of its own."""
    refused = threading.Event()

    def look(job: str, _number: int) -> str | tuple[int, dict[str, str]]:
        if job == "refused":
            return (401, {}) if not refused.is_set() else "SUCCEEDED"
        return "SUCCEEDED" if refused.is_set() else "RUNNING"

    async def renew() -> list[dict[str, Any]]:
        still_waiting = asyncio.create_task(_fire("long"))
        first = await _fire("refused")
        refused.set()
        _use(renewed, monkeypatch)
        return [first, await _fire("refused"), await still_waiting]

    with job_server(look) as old, job_server(look) as renewed:
        _use(old, monkeypatch)
        first, second, waiting = asyncio.run(renew())

    assert (first["status"], second, waiting) == ("outage", ENDED, ENDED)
    assert (old.looks["refused"], renewed.looks["refused"]) == (1, 1)


def test_a_job_of_a_moved_connection_is_found_while_others_still_wait_for_the_old_lake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The old lake does not know it: the connection is read anew, and the new lake is asked."""
    monkeypatch.setattr(poller_schedule, "MISSING_GRACE_SECONDS", 0.0)
    moved = threading.Event()

    async def move() -> list[dict[str, Any]]:
        waiting = asyncio.create_task(_fire("long"))
        await _fire("short")
        _use(new, monkeypatch)
        found = await _fire("moved")
        moved.set()
        return [found, await waiting]

    def old_look(job: str, _number: int) -> str | tuple[int, dict[str, str]]:
        if job == "moved":
            return (404, {})
        return "SUCCEEDED" if moved.is_set() or job == "short" else "RUNNING"

    with job_server(old_look) as old, job_server(lambda *_: "SUCCEEDED") as new:
        _use(old, monkeypatch)
        found, waiting = asyncio.run(asyncio.wait_for(move(), 30))

    assert (found, waiting) == (ENDED, ENDED)
    assert (old.looks["moved"], new.looks["moved"]) == (1, 1)


def test_others_may_ask_through_it(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the organization that the token's owner has; errors are the client's own."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())
    client = lake.client()

    async def ask() -> Any:
        async with shared_poller("lake_default") as poller:
            path = f"/api/organization/{client.organization_id}/datalake"
            found = await poller.request("GET", path, params=[("name", "default"), ("id", None)])
            with pytest.raises(NotFoundError):
                await poller.request("GET", path, params=[("name", "no such datalake")])
            return found

    assert asyncio.run(ask())["id"] == str(client.get_datalake().id)


def test_an_error_comes_through_deferral_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the pause that the lake asks for, so that a retry policy can keep it; the event is plain JSON."""
    with job_server(lambda _job, _number: (429, {"Retry-After": "120"})) as server:
        _use(server, monkeypatch)
        event = asyncio.run(_fire("job", outage_budget=0.0))

    with pytest.raises(RateLimitedError) as raised:
        require_ended(json.loads(json.dumps(event)))
    assert (raised.value.retry_after, raised.value.status) == (120.0, 429)


def test_a_poller_that_breaks_down_tells_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours ends the waits, so that Airflow can try again; the next who comes gets another poller."""

    async def wait() -> list[Any]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Schedule, "record_result", _fail)
            broken = await asyncio.gather(_fire("one"), _fire("two"), return_exceptions=True)
        return [*broken, await _fire("one")]

    with job_server(lambda _job, _number: "SUCCEEDED") as server:
        _use(server, monkeypatch)
        *broken, good = asyncio.run(wait())

    assert [type(error) for error in broken] == [ZeroDivisionError] * 2
    assert good == ENDED


def test_who_asks_a_broken_poller_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one who asks again, or comes just now: nobody waits for an answer that nothing will bring."""

    async def ask_twice() -> list[Any]:
        async with shared_poller("lake_default") as poller:
            monkeypatch.setattr(poller_thread.PollerThread, "_finish_requests", _fail)
            outcomes = [poller.request("GET", "/api/v2/job/one") for _ in range(2)]
            first = await asyncio.gather(outcomes[0], return_exceptions=True)
            second = await asyncio.wait_for(asyncio.gather(outcomes[1], return_exceptions=True), 60)
            watch = poller.watch(["one"], logging.getLogger(__name__), poll_interval=1.0, outage_budget=1.0)
            return [*first, *second, *await asyncio.wait_for(asyncio.gather(anext(watch), return_exceptions=True), 60)]

    with job_server(lambda _job, _number: "SUCCEEDED") as server:
        _use(server, monkeypatch)
        outcomes = asyncio.run(ask_twice())

    assert [type(outcome) for outcome in outcomes] == [ZeroDivisionError] * 3


@pytest.mark.parametrize(("module", "name"), [(selectors, "DefaultSelector"), (pycurl, "CurlMulti")])
def test_a_poller_that_cannot_begin_tells_everybody(
    module: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the process has as many files open as it may: nobody waits for a thread that has ended."""

    async def wait() -> list[Any]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, name, _fail)
            broken = await asyncio.wait_for(asyncio.gather(_fire("one"), _fire("two"), return_exceptions=True), 60)
        return [*broken, await _fire("one")]

    with job_server(lambda _job, _number: "SUCCEEDED") as server:
        _use(server, monkeypatch)
        *broken, good = asyncio.run(wait())

    assert [type(error) for error in broken] == [ZeroDivisionError] * 2
    assert good == ENDED


def test_white_space_around_the_token_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a line's end that a secret was stored with: the triggerer takes the connection as a worker does."""
    with job_server(lambda _job, _number: "SUCCEEDED") as server:
        connection = json.loads(server.connection)
        monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", json.dumps(connection | {"password": " token\n"}))

        assert asyncio.run(_fire("job")) == ENDED


def test_a_connection_that_does_not_exist_is_refused() -> None:
    """A retry would not find it either."""
    assert asyncio.run(_fire("job", lake_conn_id="no_such_connection"))["status"] == "refused"


FRESH_TRIGGERER = """
import asyncio, sys, threading
from airflow_provider_lake.triggers.job import JobTrigger

blocking = {"import", "open", "os.listdir", "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "time.sleep"}
loop_thread, seen = threading.get_ident(), set()

def watch(event, arguments):
    if event in blocking and threading.get_ident() == loop_thread and watching:
        seen.add(f"{event} {arguments[0]}")

async def wait():
    global watching
    # What Airflow itself loads for its first connection, and is none of ours.
    from airflow.providers.common.compat.connection import get_async_connection
    await get_async_connection("lake_default")
    watching = True
    event = await anext(JobTrigger(job_id=["a", "b"], poll_interval=0.01, cancel_on_kill=True).run())
    watching = False
    return event

watching = False
sys.addaudithook(watch)
print(asyncio.run(wait()).payload, *sorted(seen), sep="\\n")
"""


def test_nothing_blocks_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process that has just started: no file, no name, no connection, no sleep and no import on its thread."""
    with job_server(lambda _job, number: "RUNNING" if number < 3 else "SUCCEEDED") as server:
        _use(server, monkeypatch)
        command = [sys.executable, "-c", FRESH_TRIGGERER]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    assert lines[lines.index(str(ENDED)) :] == [str(ENDED)]
