"""What waits for data asks a real lake."""

import asyncio
import json

import pytest

from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.client import NotFoundError, UnauthorizedError
from airflow_provider_lake.client.listing.ids import FINISHED, UNFINISHED, IdQuery
from airflow_provider_lake.triggers.polling.reader import DataReader, load_client
from tests.lake_process import LakeProcess


@pytest.fixture(scope="module")
def ids(lake: LakeProcess, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Upload five photos; return their ids in the order of their creation."""
    photos = make_photos(tmp_path_factory.mktemp("photos"), 5)
    data = lake.client().get_datalake().upload_data(photos, tags=["read"], max_workers=1)
    return [str(each.id) for each in data]  # type: ignore[union-attr]  # several files, several data


@pytest.fixture(autouse=True)
def _connection(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())


def test_ids_come_in_pages_with_the_count_of_all(ids: list[str]) -> None:
    """A page's cursor leads to the next one; an offset skips; each counts all that are meant."""

    async def run() -> None:
        await load_client()
        reader = DataReader("lake_default", None)
        question = IdQuery('tags.name = "read"', FINISHED, limit=3)
        first = await reader.read_ids(question)
        second = await reader.read_ids(IdQuery(question.q, FINISHED, first.next_cursor, limit=3))
        skipped = await reader.read_ids(IdQuery(question.q, FINISHED, limit=3, offset=4))
        await reader.close()
        assert (first.ids, second.ids, skipped.ids) == (ids[:3], ids[3:], ids[4:])
        assert {page.count for page in (first, second, skipped)} == {5}
        assert (second.next_cursor, skipped.next_cursor) == (None, None)

    asyncio.run(run())


def test_data_are_filtered_by_query_and_status(ids: list[str]) -> None:
    """Ids that are none, and none at all, are no fault."""
    unknown = "00000000-0000-4000-8000-000000000000"

    async def run() -> None:
        await load_client()
        reader = DataReader("lake_default", "default")
        assert sorted(await reader.filter_ids([*ids, unknown], 'tags.name = "read"', FINISHED)) == sorted(ids)
        assert await reader.filter_ids(ids, 'tags.name = "other"', FINISHED) == []
        assert await reader.filter_ids(ids, None, UNFINISHED) == []
        assert await reader.filter_ids([], None, FINISHED) == []
        await reader.close()

    asyncio.run(run())


def test_a_changed_connection_is_noticed_after_a_refusal(
    lake: LakeProcess, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong token, or an unknown datalake, is asked for again as the connection then says."""

    async def run() -> None:
        await load_client()
        reader = DataReader("lake_default", None)
        monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection(password="wrong"))
        with pytest.raises(UnauthorizedError):
            await reader.count(None, FINISHED)
        unknown = json.loads(lake.connection()) | {"extra": {"datalake": "no such lake"}}
        monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", json.dumps(unknown))
        with pytest.raises(NotFoundError):
            await reader.count(None, FINISHED)
        monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())
        assert await reader.count('tags.name = "read"', FINISHED) == len(ids)
        await reader.close()

    asyncio.run(run())


def test_readers_of_one_connection_share_its_poller() -> None:
    """However many watch."""
    from airflow_provider_lake.triggers.polling import poller

    async def run() -> None:
        await load_client()
        readers = [DataReader("lake_default", None) for _ in range(5)]
        await asyncio.gather(*(reader.count(None, FINISHED) for reader in readers))
        assert len(poller._pollers) == 1
        for reader in readers:
            await reader.close()
        assert len(poller._pollers) == 0

    asyncio.run(run())
