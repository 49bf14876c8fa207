"""Exactly once, whatever the network loses."""

import re
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from airflow_provider_lake.client import Client, MultiData, RetryPolicy, TransportError
from airflow_provider_lake.client.transfers.storage import PART_SIZE
from tests.lake_process import LakeProcess
from tests.videos import large_video
from tests.wire.breaking_proxy import Break, breaking_proxy

CREATE_DATA = re.compile(r"POST /api/datalake/[^/]+/datas ")
FAST = RetryPolicy(attempts=8, base_delay=0.01)
FILES = 20


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Make some images."""
    files = [tmp_path / f"{number}.png" for number in range(FILES)]
    for path in files:
        Image.new("RGB", (8, 8)).save(path)
    return files


def _break_create(kind: Break) -> Callable[[str, int], Break | None]:
    return lambda line, number: kind if CREATE_DATA.match(line) and number % 3 == 1 else None


def _break_any(_line: str, number: int) -> Break | None:
    """Break every seventh of each request, in turns of each kind."""
    return list(Break)[number // 7 % 3] if number % 7 == 3 else None


@pytest.mark.parametrize(
    "decide", [*map(_break_create, Break), _break_any], ids=[*(kind.name for kind in Break), "any request"]
)
def test_every_file_becomes_one_data(
    lake: LakeProcess, paths: list[Path], decide: Callable[[str, int], Break | None]
) -> None:
    """However exchanges break, no file is lost, none is registered twice, none is reported as failed."""
    tag = f"lost-{uuid4()}"
    with breaking_proxy(lake.url, decide) as url, Client(lake.token, host=url, retry=FAST) as client:
        uploaded = client.get_datalake().upload_data(paths, tags=tag, max_workers=4)
    registered = lake.client().get_datalake().list_data(tags=tag)

    assert isinstance(uploaded, MultiData)
    assert sorted(uploaded.ids) == sorted(registered.ids)
    assert [data.filename for data in uploaded] == [path.name for path in paths]


def test_a_large_file_is_stored_once(lake: LakeProcess, tmp_path: Path) -> None:
    """Each step of an upload in parts may lose its answer, the last one, too."""
    path = tmp_path / f"{uuid4()}.mp4"
    path.write_bytes(large_video(PART_SIZE + 4, b"tail"))

    def decide(_line: str, number: int) -> Break | None:
        return Break.ANSWER_LOST if number == 0 else None

    with breaking_proxy(lake.url, decide) as url, Client(lake.token, host=url, retry=FAST) as client:
        datalake = client.get_datalake()
        datalake.upload_data(path)
        data = datalake.find_data(filename=path.name)
        content = data.read()
    assert data.file_size == len(content) == PART_SIZE + 4
    assert content.endswith(b"tail")


def test_a_lost_answer_is_looked_up_and_not_repeated(lake: LakeProcess, paths: list[Path]) -> None:
    """Each file is registered by one request, though the answers to a third of them are lost."""
    creates: list[Break | None] = []

    def decide(line: str, number: int) -> Break | None:
        if not CREATE_DATA.match(line):
            return None
        creates.append(Break.ANSWER_LOST if number % 3 == 1 else None)
        return creates[-1]

    with breaking_proxy(lake.url, decide) as url, Client(lake.token, host=url, retry=FAST) as client:
        client.get_datalake().upload_data(paths, max_workers=4)
    assert len(creates) == FILES
    assert creates.count(Break.ANSWER_LOST) == 7


def test_a_job_is_not_started_twice(lake: LakeProcess) -> None:
    """A lost answer to the start of a job is an error that says so: nobody knows whether it runs."""
    calls = []

    def decide(line: str, _number: int) -> Break | None:
        if "/objects " not in line:
            return None
        calls.append(line)
        return Break.ANSWER_LOST

    with breaking_proxy(lake.url, decide) as url, Client(lake.token, host=url, retry=FAST) as client:
        datalake = client.get_datalake()
        with pytest.raises(TransportError, match="no usable answer to POST"):
            datalake.import_bucket_objects(["nothing/"])
    assert len(calls) == 1


def test_a_deletion_whose_answer_is_lost_is_done(lake: LakeProcess) -> None:
    """The second attempt finds nothing left to delete, which is what was wanted."""
    name = f"short-lived-{uuid4()}"

    def decide(line: str, number: int) -> Break | None:
        return Break.ANSWER_LOST if line.startswith("DELETE") and number == 0 else None

    with breaking_proxy(lake.url, decide) as url, Client(lake.token, host=url, retry=FAST) as client:
        client.get_datalake().create_data_tag(name).delete()
    assert name not in [tag.name for tag in lake.client().get_datalake().list_data_tags()]


def test_a_name_is_made_once_by_many(lake: LakeProcess) -> None:
    """An answer lost while a tag is made leads to the tag that was made."""
    name = f"tag-{uuid4()}"

    def decide(line: str, number: int) -> Break | None:
        return Break.ANSWER_LOST if "POST" in line and line.split()[1].endswith("/tags") and number == 0 else None

    with breaking_proxy(lake.url, decide) as url, Client(lake.token, host=url, retry=FAST) as client:
        tag = client.get_datalake().get_or_create_data_tag(name)
    assert [other for other in lake.client().get_datalake().list_data_tags() if other.name == name] == [tag]
