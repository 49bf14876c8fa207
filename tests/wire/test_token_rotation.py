"""The token of a connection is rotated while tasks work and wait."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowRescheduleException, TaskDeferred

from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.client import Client, Datalake, RetryPolicy, UnauthorizedError
from airflow_provider_lake.hooks.lake import LakeHook
from airflow_provider_lake.operators.upload import UploadDataOperator
from airflow_provider_lake.sensors.data import DataSensor
from airflow_provider_lake.triggers.polling.poller import shared_poller
from tests.fault_proxy import FaultProxy, fault_proxy
from tests.lake_process import LakeProcess
from tests.rotation import RotatedToken
from tests.tries import Tries

CONNECTION = "AIRFLOW_CONN_LAKE_DEFAULT"
THREADS = 8


@pytest.fixture
def token(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> RotatedToken:
    """Give the connection a token that is to be rotated."""
    token = RotatedToken(lake, request.node.name)
    monkeypatch.setenv(CONNECTION, lake.connection(password=token.old))
    return token


@pytest.fixture
def rotate(lake: LakeProcess, token: RotatedToken, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return what puts the new token into the connection."""
    return lambda: monkeypatch.setenv(CONNECTION, lake.connection(password=token.new))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """List how often the connection is read."""
    found: list[str] = []
    read = LakeHook.get_connection.__func__  # type: ignore[attr-defined]  # a class method

    def counted(cls: type[LakeHook], conn_id: str) -> Any:
        found.append(conn_id)
        return read(cls, conn_id)

    monkeypatch.setattr(LakeHook, "get_connection", classmethod(counted))
    return found


def test_many_threads_whose_token_is_refused_read_the_connection_once(
    token: RotatedToken, rotate: Callable[[], None], reads: list[str]
) -> None:
    """All calls succeed, those under way at the time too; a record of before goes on with the new token."""
    datalake = LakeHook().get_datalake()
    datalake.get_or_create_data_tag("rotated")
    rotate()
    token.revoke_old()
    begin = threading.Barrier(THREADS)
    names: list[str] = []

    def ask() -> None:
        begin.wait(30)
        names.extend(datalake.get_data_tag("rotated").name for _ in range(3))

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert names == ["rotated"] * 3 * THREADS
    assert reads == ["lake_default"] * 2


def test_a_client_asks_whoever_gives_tokens(lake: LakeProcess, token: RotatedToken) -> None:
    """Once, when the lake refuses the one that it has; the error stands where there is no other."""
    asked: list[None] = []

    def renew() -> str:
        asked.append(None)
        return token.new

    client = Client(token.old, host=lake.url, retry=RetryPolicy(attempts=1), renew_token=renew)
    without = Client(token.old, host=lake.url)
    token.revoke_old()

    assert [client.get_datalake().name for _ in range(2)] == ["default"] * 2
    assert len(asked) == 1
    with pytest.raises(UnauthorizedError):
        without.get_datalake()


def test_an_upload_under_way_goes_on(
    token: RotatedToken,
    rotate: Callable[[], None],
    lake: LakeProcess,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The token is rotated when the task is about to send its files: all come in, each once."""
    photos = make_photos(tmp_path, 12)
    uploading = threading.Event()
    upload_data = Datalake.upload_data

    def watched(datalake: Datalake, *arguments: Any, **options: Any) -> Any:
        if not uploading.is_set():
            uploading.set()
            rotate()
            token.revoke_old()
        return upload_data(datalake, *arguments, **options)

    monkeypatch.setattr(Datalake, "upload_data", watched)
    operator = UploadDataOperator(task_id="upload", filepaths=[str(path) for path in photos], tags="rotated upload")

    summary = operator.execute(Tries().next())

    assert uploading.is_set()
    assert (summary["uploaded"], summary["failed"]) == (12, 0)
    assert len(lake.client().get_datalake().list_data(tags=["rotated upload"])) == 12


def _poke(sensor: DataSensor, _tries: Tries) -> Any:
    return sensor.execute(_tries.next())


def _reschedule(sensor: DataSensor, tries: Tries) -> Any:
    for _ in range(600):
        again = DataSensor(task_id="again", mode="reschedule", **_OPTIONS, tags=sensor.tags)
        try:
            return again.execute(tries.next())
        except AirflowRescheduleException:
            threading.Event().wait(0.1)
    raise AssertionError("it pokes for ever")


def _defer(sensor: DataSensor, tries: Tries) -> Any:
    deferred = DataSensor(task_id="deferred", deferrable=True, **_OPTIONS, tags=sensor.tags)
    with pytest.raises(TaskDeferred) as deferral:
        deferred.execute(tries.next())

    async def first() -> Any:
        return (await anext(deferral.value.trigger.run())).payload

    return deferred.execute_complete(tries.next(), asyncio.run(first()))


_OPTIONS: dict[str, Any] = {"poke_interval": 0.1, "timeout": 60, "outage_budget": 30}
MODES = {"poke": _poke, "reschedule": _reschedule, "deferred": _defer}


def _await_exchanges(proxy: FaultProxy, more: int) -> None:
    """Wait until the lake was asked so many times more."""
    enough, pause = proxy.exchanges + more, threading.Event()
    for _ in range(600):
        if proxy.exchanges >= enough:
            return
        pause.wait(0.1)
    raise AssertionError("nobody asks")


@pytest.mark.parametrize("revoked", ["after", "before"])
@pytest.mark.parametrize("mode", MODES)
def test_a_wait_survives_the_rotation(
    lake: LakeProcess,
    token: RotatedToken,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    revoked: str,
) -> None:
    """In every mode, whether the old token is revoked after the new one is in the connection or shortly before."""
    tag = f"{mode} {revoked}"
    outcome: list[Any] = []
    sensor = DataSensor(task_id="wait", tags=tag, **_OPTIONS)
    with fault_proxy(lake.url, 0, seed=1) as proxy:
        monkeypatch.setenv(CONNECTION, lake.connection(host=proxy.url, password=token.old))
        waiting = threading.Thread(target=lambda: outcome.append(MODES[mode](sensor, Tries())), daemon=True)
        waiting.start()
        _await_exchanges(proxy, 6)

        if revoked == "before":
            token.revoke_old()
            _await_exchanges(proxy, 3)
        monkeypatch.setenv(CONNECTION, lake.connection(host=proxy.url, password=token.new))
        if revoked == "after":
            token.revoke_old()
        lake.client().get_datalake().upload_data(make_photos(tmp_path, 1), tags=[tag])
        waiting.join(60)

    assert [found["count"] for found in outcome] == [1]


@pytest.mark.parametrize("mode", MODES)
def test_a_token_that_is_not_replaced_ends_the_wait(
    lake: LakeProcess, token: RotatedToken, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """Once the outage budget is spent, with the lake's own words: Airflow may try again."""
    errors: list[BaseException] = []
    sensor = DataSensor(task_id="wait", tags=f"never {mode}", **_OPTIONS)
    monkeypatch.setitem(_OPTIONS, "outage_budget", 0.5)
    sensor.outage_budget = 0.5

    def wait() -> None:
        with pytest.raises(UnauthorizedError) as raised:
            MODES[mode](sensor, Tries())
        errors.append(raised.value)

    with fault_proxy(lake.url, 0, seed=1) as proxy:
        monkeypatch.setenv(CONNECTION, lake.connection(host=proxy.url, password=token.old))
        waiting = threading.Thread(target=wait, daemon=True)
        waiting.start()
        _await_exchanges(proxy, 6)
        token.revoke_old()
        waiting.join(60)

    assert "does not know the API token" in str(errors[0])


@pytest.mark.parametrize("mode", ["worker", "triggerer"])
def test_the_token_of_another_lake_stays_with_that_lake(
    lake: LakeProcess, token: RotatedToken, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """A connection that was moved has no token for the lake that it had before: the old one's refusal stands."""
    elsewhere = lake.connection(host="http://lake.example.com", password="of another lake")

    async def ask() -> None:
        async with shared_poller("lake_default") as poller:
            await poller.request("GET", "/api/home/ping")
            monkeypatch.setenv(CONNECTION, elsewhere)
            token.revoke_old()
            with pytest.raises(UnauthorizedError):
                await poller.request("GET", "/api/home/ping")
            used.append(poller._session.token.value)

    used: list[str | None] = []
    if mode == "triggerer":
        asyncio.run(ask())
    else:
        hook = LakeHook()
        datalake = hook.get_datalake()
        monkeypatch.setenv(CONNECTION, elsewhere)
        token.revoke_old()
        with pytest.raises(UnauthorizedError):
            datalake.refresh()
        used.append(datalake.session.token.value)
        assert hook.connection.host == lake.url

    assert used == [token.old]
