"""The platform's published client finds its way in the embedded lake: organization, datalakes, tags, sources."""

from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from tests.lake_process import LakeProcess
from tests.wire.published_client import MultiData, connect, picsellia, upload

# Charts and the search by likeness are not part of the API that the lake speaks; refresh() sends nothing.
NOT_DRIVEN = {
    "count_embeddings",
    "create_chart",
    "embeddings_computation_status",
    "list_charts",
    "list_embeddings",
    "refresh",
    "similar_search",
    "text_search",
    "visual_search",
}


@pytest.fixture(scope="module")
def client(lake: LakeProcess) -> picsellia.Client:
    """Connect the published client."""
    return connect(lake)


@pytest.fixture(scope="module")
def datalake(client: picsellia.Client) -> picsellia.Datalake:
    """Return the default datalake."""
    return client.get_datalake()


@pytest.fixture(scope="module")
def data(datalake: picsellia.Datalake, tmp_path_factory: pytest.TempPathFactory) -> MultiData:
    """Upload three images."""
    folder = tmp_path_factory.mktemp("images")
    paths = [folder / f"{number}.png" for number in range(3)]
    for path in paths:
        Image.new("RGB", (6, 4)).save(path)
    return upload(datalake, paths)


def _name() -> str:
    return f"name {uuid4()}"


def test_every_method_of_a_datalake_is_driven() -> None:
    """By one of the files like this one; no method is forgotten."""
    methods = {
        name for name in vars(picsellia.Datalake) if callable(getattr(picsellia.Datalake, name)) and name[0] != "_"
    }
    text = "".join(path.read_text() for path in Path(__file__).parent.glob("test_reference_*.py"))

    assert {name for name in methods if f"datalake.{name}(" not in text} == NOT_DRIVEN


def test_it_connects_to_the_default_organization(client: picsellia.Client) -> None:
    """The token alone is enough."""
    assert client.sync()["name"] == client.name


@pytest.mark.parametrize("attribute", ["id", "name"])
def test_it_connects_to_a_named_organization(lake: LakeProcess, client: picsellia.Client, attribute: str) -> None:
    """By id and by name it is the same one."""
    connected = connect(lake, **{f"organization_{attribute}": str(getattr(client, attribute))})

    assert str(connected.id) == str(client.id)


@pytest.mark.parametrize("organization", [{"organization_id": str(uuid4())}, {"organization_name": "nobody"}])
def test_an_unknown_organization_is_refused(lake: LakeProcess, organization: dict[str, str]) -> None:
    """It learns so when it connects."""
    with pytest.raises(picsellia.exceptions.PicselliaError, match=next(iter(organization.values()))):
        connect(lake, **organization)


def test_a_wrong_token_is_refused(lake: LakeProcess) -> None:
    """It learns so when it connects."""
    with pytest.raises(picsellia.exceptions.PicselliaError, match="token"):
        picsellia.Client("wrong", host=lake.url)


def test_datalakes(client: picsellia.Client, datalake: picsellia.Datalake) -> None:
    """The default one is listed, and found by id and by name."""
    assert datalake in client.list_datalakes()
    assert datalake == client.get_datalake(id=str(datalake.id)) == client.get_datalake(name=datalake.name)
    assert datalake.sync()["name"] == datalake.name
    assert datalake.connector_id
    assert str(datalake.id) in datalake.get_resource_url_on_platform()


def test_an_unknown_datalake_is_not_found(client: picsellia.Client) -> None:
    """The message names it."""
    with pytest.raises(picsellia.exceptions.ResourceNotFoundError, match="swamp"):
        client.get_datalake(name="swamp")


def test_a_data_tag_is_created_found_and_renamed(datalake: picsellia.Datalake) -> None:
    """Under its new name it is still the same tag, also after it was read again."""
    name, new_name = _name(), _name()
    tag = datalake.create_data_tag(name)

    assert tag == datalake.get_data_tag(name) == datalake.get_or_create_data_tag(name)
    tag.update(new_name)
    assert tag == datalake.get_data_tag(new_name)
    assert tag.sync()["name"] == tag.name == new_name


def test_a_data_tag_cannot_be_created_twice(datalake: picsellia.Datalake) -> None:
    """A conflict names the tag; to get or create it is none."""
    tag = datalake.get_or_create_data_tag(_name())

    with pytest.raises(picsellia.exceptions.ResourceConflictError, match=tag.name):
        datalake.create_data_tag(tag.name)


def test_a_deleted_data_tag_is_gone(datalake: picsellia.Datalake) -> None:
    """It is not found afterwards."""
    tag = datalake.create_data_tag(_name())
    tag.delete()

    with pytest.raises(picsellia.exceptions.ResourceNotFoundError, match=tag.name):
        datalake.get_data_tag(tag.name)


def test_data_tags_are_listed_in_order(datalake: picsellia.Datalake) -> None:
    """Limit and offset cut the ordered list."""
    tags = [datalake.create_data_tag(_name()) for _ in range(3)]
    listed = datalake.list_data_tags(order_by=["-name"])

    assert [tag.name for tag in listed] == sorted((tag.name for tag in listed), reverse=True)
    assert {tag.id for tag in tags} <= {tag.id for tag in listed}
    assert datalake.list_data_tags(limit=2, offset=1, order_by=["-name"]) == listed[1:3]


def test_a_data_tag_is_attached_and_detached(datalake: picsellia.Datalake, data: MultiData) -> None:
    """On one data, on a list of them, on what was found; from either side."""
    first, second, third = data
    tag, other = datalake.create_data_tag(_name()), datalake.create_data_tag(_name())

    tag.attach_on(first)
    tag.attach_on([first, second])
    assert set(datalake.list_data(tags=tag).ids) == {first.id, second.id}

    data.add_tags([tag, other])
    third.add_tags(tag)
    assert set(datalake.list_data(tags=[tag, other], intersect_tags=True).ids) == set(data.ids)

    tag.detach_from(data)
    first.remove_tags(other)
    assert first.get_tags() == []
    assert set(datalake.list_data(tags=[tag.name, other.name]).ids) == {second.id, third.id}

    data.remove_tags(other)
    with pytest.raises(picsellia.exceptions.NoDataError):
        datalake.list_data(tags=[tag, other])


def test_a_source_is_created_found_and_renamed(client: picsellia.Client) -> None:
    """Under its new name it is still the same source, also after it was read again."""
    name, new_name = _name(), _name()
    source = client.create_datasource(name)

    assert source == client.get_datasource(name) == client.get_or_create_datasource(name)
    source.update(new_name)
    assert source == client.get_datasource(new_name)
    assert source.sync()["name"] == source.name == new_name


def test_a_source_cannot_be_created_twice(client: picsellia.Client) -> None:
    """A conflict names the source; to get or create it is none."""
    source = client.get_or_create_datasource(_name())

    with pytest.raises(picsellia.exceptions.ResourceConflictError, match=source.name):
        client.create_datasource(source.name)


def test_a_deleted_source_is_gone(client: picsellia.Client) -> None:
    """It is not found afterwards."""
    source = client.create_datasource(_name())
    source.delete()

    with pytest.raises(picsellia.exceptions.ResourceNotFoundError, match=source.name):
        client.get_datasource(source.name)


def test_sources_are_listed_in_order(client: picsellia.Client) -> None:
    """Limit and offset cut the ordered list."""
    sources = [client.create_datasource(_name()) for _ in range(3)]
    listed = client.list_datasources(order_by=["name"])

    assert [source.name for source in listed] == sorted(source.name for source in listed)
    assert {source.id for source in sources} <= {source.id for source in listed}
    assert client.list_datasources(limit=2, offset=1, order_by=["name"]) == listed[1:3]
