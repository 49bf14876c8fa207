"""Watching a real lake for data that arrive, and counting those that are there."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.triggers.base import BaseEventTrigger

from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.client import Data
from airflow_provider_lake.triggers import watcher as watch
from airflow_provider_lake.triggers.data import DataTrigger, LakeDataTrigger
from tests.lake_process import LakeProcess

NUMBERS = count()


@pytest.fixture(autouse=True)
def _connection(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())
    # Nobody has to write the events into a database here.
    monkeypatch.setattr(watch, "SAVE_DELAY_SECONDS", 0.0)


@pytest.fixture
def tag() -> str:
    """Return a tag that no other test uses."""
    return f"arrival-{next(NUMBERS)}"


@pytest.fixture
def upload(lake: LakeProcess, tmp_path: Path, tag: str) -> Callable[..., list[str]]:
    """Return what uploads photos and gives their ids in the order of their creation."""

    def run(number: int, *, tag: str = tag, to: LakeProcess = lake) -> list[str]:
        photos = make_photos(tmp_path / f"photos-{next(NUMBERS)}", number)
        datalake = to.client().get_datalake()
        data = datalake.upload_data(photos, tags=[tag], max_workers=1)
        return [str(each.id) for each in ([data] if isinstance(data, Data) else data)]

    return run


class _Store:
    """What Airflow 3.3 keeps for a watched asset, in the way that it hands it to triggers below 3.3.2."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.changed = threading.Event()

    def get(self, key: str, default: Any = None) -> Any:
        return json.loads(self.kept[key]) if key in self.kept else default

    def set(self, key: str, value: Any) -> None:
        self.kept[key] = json.dumps(value)
        self.changed.set()


def _trigger(tag: str, store: Any = None, **options: Any) -> LakeDataTrigger:
    trigger = LakeDataTrigger(tags=tag, **({"poll_interval": 0.05} | options))
    trigger.asset_state_store = store
    return trigger


def _collect(trigger: LakeDataTrigger, number: int, do: Callable[[], object] = lambda: None) -> list[dict[str, Any]]:
    """Run a trigger, do something once it has begun, and return its events' payloads once they hold so many data."""

    async def run() -> list[dict[str, Any]]:
        begun: asyncio.Event = asyncio.Event()

        async def ticks() -> AsyncIterator[Any]:
            async with aclosing(trigger.open_shared_stream(trigger.serialize()[1])) as stream:  # type: ignore[type-var]
                async for tick in stream:
                    yield tick
                    begun.set()  # what the first tick says has been looked at

        async def listen() -> None:
            async for event in trigger.filter_shared_stream(ticks()):
                payloads.append(event.payload)
                if isinstance(store, _Store):
                    store.changed.clear()
                if sum(each["count"] for each in payloads) >= number:
                    has_enough.set()

        store, payloads, has_enough = trigger.asset_state_store, [], asyncio.Event()  # type: ignore[var-annotated]
        async with asyncio.timeout(60):
            listening = asyncio.create_task(listen())
            await begun.wait()
            await asyncio.to_thread(do)
            await has_enough.wait()
            if isinstance(store, _Store):  # where it goes on after a restart
                await asyncio.to_thread(store.changed.wait, 30)
        listening.cancel()
        return payloads

    return asyncio.run(run())


def _ids(payloads: list[dict[str, Any]]) -> list[str]:
    return [each for payload in payloads for each in payload["data_ids"]]


def test_it_fires_for_what_arrives_after_its_start(
    lake: LakeProcess, tag: str, upload: Callable[..., list[str]]
) -> None:
    """Those that were there, and those of other tags, do not count; the payload says which, where, and by what."""
    upload(2)
    arrived: list[str] = []

    def arrive() -> None:
        upload(1, tag="other")
        arrived.extend(upload(3))

    payloads = _collect(_trigger(tag), 3, arrive)

    assert _ids(payloads) == arrived
    datalake = lake.client().get_datalake()
    assert {key: value for key, value in payloads[0].items() if key not in {"data_ids", "count"}} == {
        "datalake": "default",
        "datalake_id": str(datalake.id),
        "tags": [tag],
        "query": None,
    }


def test_it_may_begin_with_all_that_is_there(tag: str, upload: Callable[..., list[str]]) -> None:
    """In batches of at most so many."""
    there = upload(5)

    payloads = _collect(_trigger(tag, begin="earliest", max_count=2), 5)

    assert [payload["count"] for payload in payloads] == [2, 2, 1]
    assert _ids(payloads) == there


def test_neither_a_failed_nor_a_deleted_data_arrives(
    lake: LakeProcess, tag: str, upload: Callable[..., list[str]], tmp_path: Path
) -> None:
    """One that is no image is not handed on."""
    (tmp_path / "words.jpg").write_text("words, not pixels")
    datalake = lake.client().get_datalake()
    arrived: list[str] = []

    def change() -> None:
        with pytest.raises(Exception, match="words"):
            datalake.upload_data(tmp_path / "words.jpg", tags=[tag])
        arrived.extend(upload(2))

    assert _ids(_collect(_trigger(tag, quiet_period=0.5), 2, change)) == arrived


def test_data_that_get_the_tag_later_arrive_then(
    lake: LakeProcess, tag: str, upload: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tag changes neither the number of data nor their states, and is noticed all the same."""
    monkeypatch.setattr(watch, "MAX_IDLE_TICKS", 2)
    old = upload(1, tag="not yet")
    datalake = lake.client().get_datalake()

    payloads = _collect(
        _trigger(tag), 1, lambda: datalake.list_data(ids=old).add_tags(datalake.get_or_create_data_tag(tag))
    )

    assert _ids(payloads) == old


def test_few_data_wait_for_others(tag: str, upload: Callable[..., list[str]]) -> None:
    """Until there are enough, or they have waited long enough."""
    together = _collect(_trigger(tag, min_count=4), 4, lambda: (upload(2), upload(2)))
    impatient = _collect(_trigger(tag, min_count=100, max_wait=0.3), 2, lambda: upload(2))

    assert [payload["count"] for payload in together] == [4]
    assert sum(payload["count"] for payload in impatient) == 2


def test_a_restarted_watch_goes_on_where_it_was(tag: str, upload: Callable[..., list[str]]) -> None:
    """What arrived while it was away is handed on, what it has handed on is not, when Airflow keeps its position."""
    store = _Store()
    first: list[str] = []
    later: list[str] = []
    before = _collect(_trigger(tag, store), 2, lambda: first.extend(upload(2)))
    away = upload(2)

    after = _collect(_trigger(tag, store), 3, lambda: later.extend(upload(1)))

    assert _ids(before) == first
    assert _ids(after) == away + later


def test_a_watch_that_shares_its_trigger_with_other_assets_says_so(
    tag: str, upload: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Airflow then refuses to keep a position; the watch goes on without."""

    def refuse(*_arguments: object) -> None:
        raise ValueError("Task has 2 concrete inlets and outlets")

    payloads = _collect(_trigger(tag, SimpleNamespace(get=refuse, set=refuse)), 1, lambda: upload(1))

    assert payloads[0]["count"] == 1
    assert "Several assets share this trigger" in capsys.readouterr().out


def test_an_outage_ends_no_watch(
    own_lake: LakeProcess, tag: str, upload: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lake goes and comes back; what it has then is handed on."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", own_lake.connection())
    arrived: list[str] = []

    def change() -> None:
        own_lake.stop()
        own_lake.start()
        arrived.extend(upload(2, to=own_lake))

    assert _ids(_collect(_trigger(tag), 2, change)) == arrived


def test_a_position_that_the_lake_does_not_know_begins_anew(
    tag: str, upload: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """As when the lake was replaced by another; it is said, and the watch goes on."""
    store = _Store()
    _collect(_trigger(tag, store), 1, lambda: upload(1))
    [key] = store.kept
    store.kept[key] = json.dumps({"cursor": "of another lake", "next_cursor": None, "seen": [], "waiting": []})

    payloads = _collect(_trigger(tag, store), 1, lambda: upload(1))

    assert payloads[0]["count"] == 1
    assert "no longer knows" in capsys.readouterr().out


def test_triggers_that_watch_one_lake_share_one_stream() -> None:
    """Whatever they look for in it; another lake, or another pace, is another stream."""
    one, other = LakeDataTrigger(tags="a"), LakeDataTrigger(query='filename = "b"')

    assert one.shared_stream_key() == other.shared_stream_key()
    assert hash(one.shared_stream_key()) is not None
    for different in (
        LakeDataTrigger(lake_conn_id="x"),
        LakeDataTrigger(datalake="x"),
        LakeDataTrigger(poll_interval=1),
    ):
        assert different.shared_stream_key() != one.shared_stream_key()


@pytest.mark.parametrize(
    "options",
    [{}, {"tags": "one"}, {"tags": ("a", "b"), "query": "meta.width > 3", "poll_interval": 5, "max_wait": 7}],
)
def test_a_watch_is_not_made_anew_at_each_parse(options: dict[str, Any]) -> None:
    """Airflow compares hashes of what the DAG says and of what its database gives back."""
    path, arguments = LakeDataTrigger(**options).serialize()

    travelled = LakeDataTrigger(**json.loads(json.dumps(arguments))).serialize()

    assert BaseEventTrigger.hash(*travelled) == BaseEventTrigger.hash(path, arguments)


@pytest.mark.parametrize(
    "options", [{"begin": "now"}, {"poll_interval": 0}, {"min_count": 0}, {"min_count": 5, "max_count": 4}]
)
def test_a_wrong_argument_shows_when_the_dag_is_parsed(options: dict[str, Any]) -> None:
    """Not when the triggerer runs it."""
    with pytest.raises(ValueError, match=next(iter(options)).replace("min_count", "m..?_count")):
        LakeDataTrigger(**options)


@pytest.fixture
def counting(tag: str) -> DataTrigger:
    """Return a trigger that waits for two data."""
    return DataTrigger(min_count=2, query=f'tags.name = "{tag}"', poll_interval=0.05)


def test_a_count_waits_until_there_are_enough(counting: DataTrigger, upload: Callable[..., list[str]]) -> None:
    """One is too few."""

    async def run() -> Any:
        event = asyncio.ensure_future(anext(counting.run()))
        await asyncio.to_thread(upload, 1)
        assert not event.done()
        await asyncio.to_thread(upload, 1)
        return (await event).payload

    assert asyncio.run(run()) == {"status": "ended"}


def test_a_count_goes_on_at_the_lake_that_the_connection_was_moved_to(
    counting: DataTrigger, upload: Callable[..., list[str]], lake: LakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old one is gone, and answers nobody."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection(host="http://127.0.0.1:9"))
    upload(2)

    async def run() -> Any:
        event = asyncio.ensure_future(anext(counting.run()))
        done, _ = await asyncio.wait([event], timeout=2)
        assert not done
        monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())
        return (await asyncio.wait_for(event, 60)).payload

    assert asyncio.run(run()) == {"status": "ended"}
