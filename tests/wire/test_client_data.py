"""Data of a real lake: found, listed, changed, fetched, deleted."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from PIL import Image

from airflow_provider_lake.client import (
    Client,
    Datalake,
    InvalidQueryError,
    MultiData,
    NoDataError,
    NotFoundError,
    TransferError,
)
from airflow_provider_lake.client.transport import paging
from tests.lake_process import LakeProcess

COUNT = 6


@pytest.fixture(scope="module")
def client(lake: LakeProcess) -> Client:
    """Return a client of the lake."""
    return lake.client()


@pytest.fixture(scope="module")
def datalake(client: Client) -> Datalake:
    """Return the lake's datalake."""
    return client.get_datalake()


@pytest.fixture(scope="module")
def tags() -> tuple[str, str]:
    """Name two tags: all of the module's data have the first, every second one has the other, too."""
    return f"all-{uuid4()}", f"even-{uuid4()}"


@pytest.fixture(scope="module")
def data(datalake: Datalake, tags: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> MultiData:
    """Upload some images."""
    folder, run = tmp_path_factory.mktemp("images"), uuid4()
    paths = [folder / f"{run}-{number}.png" for number in range(COUNT)]
    for number, path in enumerate(paths):
        Image.new("RGB", (10 + number, 10)).save(path)
    custom = [{"number": number} for number in range(COUNT)]
    uploaded = datalake.upload_data(paths, tags=tags[0], source="cam-1", custom_metadata=custom)
    assert isinstance(uploaded, MultiData)
    uploaded[::2].add_tags(datalake.get_or_create_data_tag(tags[1]))
    return uploaded


def _ids(data: MultiData) -> list[UUID]:
    return sorted(data.ids)


def test_one_is_found_by_any_of_its_names(datalake: Datalake, data: MultiData) -> None:
    """Id, filename and object name lead to the same data."""
    wanted = data[1]

    assert datalake.find_data(id=wanted.id) == wanted
    assert datalake.find_data(id=str(wanted.id)).filename == wanted.filename
    assert datalake.find_data(filename=wanted.filename) == wanted
    assert datalake.find_data(object_name=wanted.object_name) == wanted
    with pytest.raises(NotFoundError):
        datalake.find_data(id=wanted.id, filename="another")


def test_a_name_of_several_is_not_one(datalake: Datalake, tmp_path: Path) -> None:
    """A filename that two data have finds none of them."""
    path = tmp_path / f"{uuid4()}.png"
    Image.new("RGB", (8, 8)).save(path)
    datalake.upload_data([path, path])
    with pytest.raises(InvalidQueryError):
        datalake.find_data(filename=path.name)


def test_tags_select(datalake: Datalake, data: MultiData, tags: tuple[str, str]) -> None:
    """One of several tags, or all of them."""
    everything, even = tags

    assert _ids(datalake.list_data(tags=everything)) == _ids(data)
    assert _ids(datalake.list_data(tags=even)) == _ids(data[::2])
    assert _ids(datalake.list_data(tags=[even, datalake.get_data_tag(everything)])) == _ids(data)
    assert _ids(datalake.list_data(tags=[even, everything], intersect_tags=True)) == _ids(data[::2])


def test_ids_and_counts_agree_with_the_list(datalake: Datalake, data: MultiData, tags: tuple[str, str]) -> None:
    """However data are selected, with the ids alone or by reading the data."""
    everything, even = tags
    selections: tuple[tuple[dict[str, Any], MultiData], ...] = (
        ({"tags": everything}, data),
        ({"tags": [even, everything], "intersect_tags": True}, data[::2]),
        ({"tags": everything, "q": "meta.width > 12"}, data[3:]),
        ({"tags": everything, "custom_metadata": {"number": 2}}, data[2:3]),
        ({"ids": [*data[1:4].ids, uuid4()]}, data[1:4]),
        ({"filenames": [data[0].filename]}, data[:1]),
        ({"object_names": [data[0].object_name]}, data[:1]),
        ({"tags": f"none {uuid4()}"}, MultiData()),
    )
    for arguments, expected in selections:
        assert sorted(datalake.iter_ids(**arguments)) == _ids(expected)
        assert datalake.count_data(**arguments) == len(expected)


def test_ids_come_in_pages_and_in_order(
    datalake: Datalake, data: MultiData, tags: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages follow each other; a limit, an offset and an order hold over them."""
    monkeypatch.setattr(paging, "PAGE_SIZE", 2)
    created = datalake.list_data(tags=tags[0]).ids

    assert list(datalake.iter_ids(tags=tags[0])) == created
    assert list(datalake.iter_ids(tags=tags[0], limit=3, offset=2)) == created[2:5]
    assert list(datalake.iter_ids(tags=tags[0], order_by=["-filename"])) == data.ids[::-1]


def test_counts_of_states_and_refused_queries(datalake: Datalake, data: MultiData, tags: tuple[str, str]) -> None:
    """Data in some upload statuses are counted alone; a query that the lake cannot read is an error of its own."""
    assert datalake.count_data(tags=tags[0], upload_statuses=["DONE"]) == COUNT
    assert datalake.count_data(tags=tags[0], upload_statuses=["PENDING", "ERROR"]) == 0
    assert datalake.count_data(ids=data.ids, upload_statuses=["ERROR"]) == 0
    with pytest.raises(InvalidQueryError):
        datalake.count_data(q="no query")
    with pytest.raises(InvalidQueryError):
        list(datalake.iter_ids(q="no query"))


def test_names_select(datalake: Datalake, data: MultiData) -> None:
    """Lists of ids, filenames and object names; unknown ones among them are no matter."""
    wanted = data[1:4]

    assert _ids(datalake.list_data(ids=[*wanted.ids, uuid4()])) == _ids(wanted)
    assert _ids(datalake.list_data(filenames=[each.filename for each in wanted])) == _ids(wanted)
    assert _ids(datalake.list_data(object_names=[each.object_name for each in wanted])) == _ids(wanted)
    with pytest.raises(NoDataError):
        datalake.list_data(ids=[])


def test_queries_select(datalake: Datalake, data: MultiData, tags: tuple[str, str]) -> None:
    """A query narrows down what tags or names select, whatever its operators."""
    everything, even = tags

    assert _ids(datalake.list_data(tags=everything, q="meta.width >= 14")) == _ids(data[4:])
    assert _ids(datalake.list_data(tags=even, q="meta.width = 11 or meta.width = 12")) == _ids(data[2:3])
    assert _ids(datalake.list_data(ids=data.ids, q="custom_metadata.number > 3")) == _ids(data[4:])
    assert _ids(datalake.list_data(tags=everything, custom_metadata={"number": 3})) == _ids(data[3:4])


def test_order_limit_and_offset(datalake: Datalake, data: MultiData, tags: tuple[str, str]) -> None:
    """Ascending and descending, and any stretch of it; without an order it is that of registration."""
    names = sorted(each.filename for each in data)
    by_name = [each.filename for each in datalake.list_data(tags=tags[0], order_by=["filename"])]
    backwards = datalake.list_data(tags=tags[0], order_by=["-filename"], limit=2, offset=1)
    everything = datalake.list_data(tags=tags[0])

    assert by_name == names
    assert [each.filename for each in backwards] == names[::-1][1:3]
    assert datalake.list_data(tags=tags[0], limit=2, offset=3) == everything[3:5]
    assert list(datalake.iter_data(tags=tags[0], limit=0)) == []


def test_more_names_than_one_request_takes(datalake: Datalake, data: MultiData) -> None:
    """A list of more than a thousand names is asked for in pieces."""
    wanted = [str(uuid4()) for _ in range(1500)]
    wanted[700:700] = [each.filename for each in data]

    assert _ids(datalake.list_data(filenames=wanted)) == _ids(data)


def test_a_page_size_is_deprecated_and_changes_nothing(datalake: Datalake, data: MultiData) -> None:
    """The warning points to the caller."""
    with pytest.warns(DeprecationWarning, match="page_size") as warned:
        found = datalake.list_data(ids=data.ids, page_size=1)

    assert set(found.ids) == set(data.ids)
    assert warned[0].filename == __file__


def test_a_data_is_changed(datalake: Datalake, data: MultiData) -> None:
    """Changing returns the data as it is then; the old record stays as it was."""
    before = data[0]
    after = before.update_metadata({"latitude": 1.5, "longitude": 2.5, "reference": "r"})

    assert after.metadata == {"latitude": 1.5, "longitude": 2.5, "reference": "r"}
    assert before.metadata is None
    assert after == before
    assert before.update_custom_metadata({"k": [1, {"z": None}]}).custom_metadata == {"k": [1, {"z": None}]}
    assert datalake.find_data(id=before.id).metadata == after.metadata


def test_tags_come_and_go(datalake: Datalake, data: MultiData) -> None:
    """Attached to one or many, twice without harm; renamed; deleted with the data staying."""
    tag = datalake.create_data_tag(f"tag-{uuid4()}")
    tag.attach_on(data)
    tag.attach_on(data[0])
    assert _ids(datalake.list_data(tags=tag)) == _ids(data)
    tag.detach_from(data[1:])
    assert datalake.list_data(tags=tag).ids == [data[0].id]
    renamed = tag.update(f"renamed-{uuid4()}")
    assert tag.refresh().name == renamed.name
    assert renamed in data[0].refresh().tags
    renamed.delete()
    assert renamed not in data[0].refresh().tags


def test_sources_are_listed_renamed_and_deleted(client: Client) -> None:
    """A source keeps its id through a new name; deleted it is gone."""
    source = client.create_datasource(f"source-{uuid4()}")

    assert source in client.list_datasources()
    assert client.get_or_create_datasource(source.name) == source
    assert client.get_datasource(source.update(f"renamed-{uuid4()}").name) == source
    source.delete()
    assert source not in client.list_datasources()


def test_more_tags_than_one_page(datalake: Datalake) -> None:
    """All come, each once; limit and offset cut out a stretch."""
    prefix = str(uuid4())
    made = {datalake.create_data_tag(f"{prefix}-{number}") for number in range(105)}
    listed = datalake.list_data_tags()

    assert len(listed) == len(set(listed))
    assert made <= set(listed)
    assert datalake.list_data_tags(limit=3, offset=2) == listed[2:5]


def test_files_come_back(data: MultiData, tmp_path: Path) -> None:
    """Downloaded under filename or id; a file that is there already stays, unless it is to be replaced."""
    folder = tmp_path / "deep" / "folder"
    first = data[0]
    paths = data.download(folder)
    assert [path.read_bytes() for path in paths] == [each.read() for each in data]
    assert [path.name for path in paths] == [each.filename for each in data]
    paths[0].write_bytes(b"mine")
    assert first.download(folder).read_bytes() == b"mine"
    assert first.download(folder, force_replace=True).read_bytes() == first.read()
    assert first.download(folder, use_id=True).name == f"{first.id}.png"
    assert len(list(folder.iterdir())) == COUNT + 1


def test_an_old_url_is_renewed(data: MultiData) -> None:
    """A signed URL that the storage refuses any more leads to a fresh one."""
    first = data[0]
    assert first.url is not None
    stale = replace(first, url=f"{first.url[:-4]}0000")

    assert stale.read() == first.read()


def test_a_deleted_data_is_gone(datalake: Datalake, tmp_path: Path) -> None:
    """One or many: record and bytes."""
    path = tmp_path / "image.png"
    Image.new("RGB", (8, 8)).save(path)
    data = datalake.upload_data([path] * 3)
    assert isinstance(data, MultiData)
    data[0].delete()
    data[1:].delete()
    for each in data:
        with pytest.raises(NotFoundError):
            each.refresh()
        with pytest.raises((NotFoundError, TransferError)):
            each.read()
    with pytest.raises(NotFoundError):
        data[0].delete()
