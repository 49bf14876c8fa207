"""One client in many threads, and many data in little memory."""

import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from PIL import Image

from airflow_provider_lake.client import Client, Data, Datalake
from tests.lake_process import LakeProcess
from tests.wire.breaking_proxy import breaking_proxy

THREADS = 16
ROUNDS = 3
ROWS = 3000


def test_one_client_serves_many_threads(lake: LakeProcess, tmp_path: Path) -> None:
    """Each thread gets its own answers, whatever the others ask at the same moment; what they share is made once."""
    shared = f"shared-{uuid4()}"
    start = threading.Barrier(THREADS)

    def work(number: int) -> list[UUID]:
        path = tmp_path / f"{shared}-{number}.png"
        Image.new("RGB", (10 + number, 10)).save(path)
        start.wait()
        ids = []
        for _ in range(ROUNDS):
            data = datalake.upload_data(
                path, tags=[shared, path.stem], source=shared, metadata={"reference": path.name}
            )
            assert isinstance(data, Data)
            ids.append(data.id)
            assert (data.filename, data.width, data.metadata) == (path.name, 10 + number, {"reference": path.name})
            assert datalake.find_data(id=data.id) == data
            assert data.read() == path.read_bytes()
            assert sorted(datalake.list_data(tags=path.stem).ids) == sorted(ids)
        return ids

    with lake.client() as client, ThreadPoolExecutor(THREADS) as pool:
        datalake = client.get_datalake()
        made = [data_id for ids in pool.map(work, range(THREADS)) for data_id in ids]
        listed = datalake.list_data(tags=shared)
        tags = [tag for tag in datalake.list_data_tags() if tag.name == shared]

    assert sorted(listed.ids) == sorted(made)
    assert len(set(made)) == THREADS * ROUNDS
    assert len(tags) == 1
    assert len({data.data_source for data in listed}) == 1


@pytest.fixture
def full(own_lake: LakeProcess) -> LakeProcess:
    """Import many images into a lake of one's own."""
    folder = own_lake.objects / "cams"
    folder.mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(folder / "0.png")
    content = (folder / "0.png").read_bytes()
    for number in range(1, ROWS):
        (folder / f"{number}.png").write_bytes(content)
    datalake = own_lake.client().get_datalake()
    datalake.import_bucket_objects(["cams/"], tags="cams").wait_for_done(0.2, 600)
    return own_lake


def _peak(datalake: Datalake, limit: int, order_by: list[str] | None = None) -> int:
    """Return the bytes that iterating takes at most, when nothing is kept of the data."""
    tracemalloc.start()
    count = sum(1 for _ in datalake.iter_data(limit=limit, order_by=order_by))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == limit
    return peak


def test_many_data_take_one_page_of_memory(full: LakeProcess) -> None:
    """Three thousand need no more than one thousand, and one request for each thousand; so do ordered ones."""
    lists: list[str] = []

    def count(line: str, _number: int) -> None:
        if "/datas?" in line:
            lists.append(line)

    with breaking_proxy(full.url, count) as url, Client(full.token, host=url) as client:
        datalake = client.get_datalake()
        _peak(datalake, 1)
        for order_by in (None, ["-filename"]):
            one_page = _peak(datalake, 1000, order_by)
            lists.clear()
            assert _peak(datalake, ROWS, order_by) < 1.2 * one_page
            assert len(lists) == ROWS / 1000
        everything = datalake.list_data(tags="cams")

    assert len(set(everything.ids)) == ROWS
