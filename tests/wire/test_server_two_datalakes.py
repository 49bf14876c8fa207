"""Two datalakes of one organization on one bucket: what is asked of one says and changes nothing of the other."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.lake_process import LakeProcess
from tests.wire.job_calls import finished, photo, register, try_launch, wait_for
from tests.wire.lake_api import LakeApi

TAG, FILENAME, SHARED = "both have it", "both.jpg", "shared/object.jpg"


@dataclass(frozen=True)
class Datalakes:
    """Two datalakes, each with a tag and a data of the same names.

    :param first: calls the default one.
    :param second: calls the other one.
    """

    lake: LakeProcess
    first: LakeApi
    second: LakeApi

    def data(self, api: LakeApi, **filters: str) -> list[str]:
        """Return ids of a datalake's data."""
        path = f"/api/datalake/{api.datalake}/datas"
        return [item["id"] for item in api.get(path, params=filters).json()["items"]]

    def tag(self, api: LakeApi) -> str:
        """Return the id of a datalake's tag."""
        return str(api.get(f"/api/datalake/{api.datalake}/tags/find", params={"name": TAG}).json()["id"])

    def in_both(self, path: str, **params: str) -> list[Any]:
        """GET a path of each datalake."""
        return [
            api.get(f"/api/datalake/{api.datalake}/{path}", params=params).json() for api in (self.first, self.second)
        ]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Datalakes]:
    """Run a lake with two datalakes."""
    with LakeProcess(tmp_path_factory.mktemp("datalakes") / "data", is_preloaded=True) as lake:
        lake.run("datalake", "add", "second")
        first, second = LakeApi(lake), LakeApi(lake)
        named = {"name": "second"}
        second.datalake = first.get(f"/api/organization/{first.organization}/datalake", params=named).json()["id"]
        for api in (first, second):
            tag = api.post(f"/api/datalake/{api.datalake}/tags", {"name": TAG}).json()["id"]
            api.register(FILENAME, api.upload(FILENAME, photo()), tags=[tag])
        datalakes = Datalakes(lake, first, second)
        for api in (first, second):
            wait_for(lambda api=api: datalakes.data(api, upload_statuses="DONE"))  # type: ignore[misc]  # which is bound
        yield datalakes


def test_both_are_found_by_name(both: Datalakes) -> None:
    """The list names each, the command too, and the client finds the other one by its name."""
    listed = both.lake.run("datalake", "list").splitlines()

    found = both.lake.client().get_datalake(name="second")

    assert listed == [f"{both.first.datalake}\tdefault\t(default)", f"{both.second.datalake}\tsecond"]
    assert str(found.id) == both.second.datalake
    assert [each.name for each in both.lake.client().list_datalakes()] == ["default", "second"]


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"tags": TAG},
        {"q": f'tags.name = "{TAG}"'},
        {"q": f'filename = "{FILENAME}"'},
        {"upload_statuses": "DONE"},
        {"order_by": "-created_at"},
    ],
)
def test_lists_hold_a_datalakes_own_data(both: Datalakes, filters: dict[str, str]) -> None:
    """By whatever they are asked for."""
    lists = both.in_both("datas", **filters)

    assert [answer["count"] for answer in lists] == [1, 1]
    assert lists[0]["items"][0]["id"] != lists[1]["items"][0]["id"]


def test_data_are_found_in_their_own_datalake(both: Datalakes) -> None:
    """By filename, by id and by object name; the other one's are none."""
    by_name = [answer["id"] for answer in both.in_both("datas/find", filename=FILENAME)]
    ids = both.in_both("datas/ids/paginated")
    mine, theirs = both.data(both.first)[0], both.data(both.second)[0]
    path = f"/api/datalake/{both.first.datalake}/datas"
    object_name = both.second.get(f"/api/data/{theirs}").json()["object_name"]

    listed = both.first.call("XGET", path, json={"ids": [mine, theirs]}).json()["items"]

    assert by_name == [mine, theirs]
    assert [answer["items"] for answer in ids] == [[mine], [theirs]]
    assert [item["id"] for item in listed] == [mine]
    assert both.first.get(f"{path}/find", params={"id": theirs}).status_code == 404
    assert both.first.get(f"{path}/find", params={"object_name": object_name}).status_code == 404


def test_a_tag_is_of_one_datalake(both: Datalakes) -> None:
    """It is put on no data of another one, taken off none, and given to none that is registered there."""
    tag, theirs = both.tag(both.first), both.data(both.second)[0]
    name = both.second.upload("new.jpg", photo())

    answers = [
        both.first.post(f"/api/tag/{tag}/attach", [theirs]),
        both.first.post(f"/api/tag/{tag}/detach", [theirs]),
        both.second.register("new.jpg", name, tags=[tag]),
        both.second.post(f"/api/datalake/{both.second.datalake}/objects", {"prefixes": ["x/"], "tag_ids": [tag]}),
    ]

    assert tag != both.tag(both.second)
    assert [answer.status_code for answer in answers[:2]] == [404, 404]
    assert all(answer.status_code in {400, 404} for answer in answers[2:])
    assert [answer["count"] for answer in both.in_both("datas", tags=TAG)] == [1, 1]


def test_changes_of_many_data_stay_in_their_datalake(both: Datalakes) -> None:
    """The other one's data are neither changed nor deleted by way of it."""
    theirs = both.data(both.second)[0]
    path = f"/api/datalake/{both.first.datalake}"
    before = both.second.get(f"/api/data/{theirs}").json()

    changed = both.first.call("PATCH", f"{path}/data/bulk", json={"objects": {theirs: {"tags": ["x"]}}})
    deleted = both.first.call("DELETE", f"{path}/datas", json={"ids": [theirs]})

    assert (changed.status_code, deleted.status_code) == (404, 204)
    after = both.second.get(f"/api/data/{theirs}").json()
    assert {**after, "presigned_url": None} == {**before, "presigned_url": None}


def test_a_tag_that_is_given_by_name_is_the_datalakes_own(both: Datalakes) -> None:
    """Whichever of the two was made first."""
    name = "given by name"
    for api in (both.first, both.second):
        api.post(f"/api/datalake/{api.datalake}/tags", {"name": name})
    tags = [api["id"] for api in both.in_both("tags/find", name=name)]

    for api in (both.first, both.second):
        changes = {data: {"tags": [name]} for data in both.data(api)}
        api.call("PATCH", f"/api/datalake/{api.datalake}/data/bulk", json={"objects": changes})

    listed = both.in_both("datas", tags=name)
    assert [answer["count"] for answer in listed] == [1, 1]
    given = [[tag["id"] for tag in answer["items"][0]["tags"] if tag["name"] == name] for answer in listed]
    assert given == [[tag] for tag in tags]
    for api, tag in zip((both.first, both.second), tags, strict=True):
        api.call("DELETE", f"/api/tag/{tag}")


def test_a_processing_works_on_data_of_its_datalake(both: Datalakes) -> None:
    """It is not launched on others; a request with the same key starts a job in each."""
    register(both.lake, "none", sys.executable, "-c", "")
    mine, theirs = both.data(both.first), both.data(both.second)

    foreign = try_launch(both.first, "none", theirs)
    jobs = [try_launch(both.first, "none", mine, key="one").json(), try_launch(both.second, "none", theirs, key="one")]

    assert foreign.status_code == 404
    assert foreign.json()["message"].startswith("1 of the data are not in datalake 'default'")
    assert jobs[0]["id"] != jobs[1].json()["id"]


def test_an_object_becomes_data_of_each(both: Datalakes) -> None:
    """What one has imported is new to the other, and its object stays while one of them has it."""
    path = both.lake.objects / SHARED
    path.parent.mkdir(parents=True)
    path.write_bytes(Path(both.lake.objects / _name_of_first(both)).read_bytes())
    progress = []
    for api in (both.first, both.second):
        answer = api.post(f"/api/datalake/{api.datalake}/objects", {"prefixes": ["shared/"]})
        progress.append(finished(api, answer.json()["job"]["id"])["progress"])
    data = [answer["id"] for answer in both.in_both("datas/find", object_name=SHARED)]

    uploaded = both.first.upload("twice.jpg", photo())
    registered = [api.register("twice.jpg", uploaded).json()["id"] for api in (both.first, both.second)]
    both.first.call("DELETE", f"/api/data/{registered[0]}")

    assert [each["imported"] for each in progress] == [1, 1]
    assert (len(set(data)), len(set(registered))) == (2, 2)
    assert (both.lake.objects / uploaded).is_file()
    both.second.call("DELETE", f"/api/data/{registered[1]}")
    assert not (both.lake.objects / uploaded).exists()
    for api, each in zip((both.first, both.second), data, strict=True):
        api.call("DELETE", f"/api/data/{each}")


def test_a_schema_is_of_one_datalake(both: Datalakes) -> None:
    """What one expects of custom metadata, the other does not."""
    path = f"/api/datalake/{both.first.datalake}/custom-metadata"
    both.first.post(f"{path}/keys/rain", {"input_type": "STRING", "required": True})
    names = [api.upload("dry.jpg", photo()) for api in (both.first, both.second)]

    answers = [api.register("dry.jpg", name) for api, name in zip((both.first, both.second), names, strict=True)]
    both.first.call("DELETE", f"{path}/keys/rain")

    assert answers[0].status_code in {400, 422}
    assert answers[1].status_code == 201
    both.second.call("DELETE", f"/api/data/{answers[1].json()['id']}")


def _name_of_first(both: Datalakes) -> str:
    return str(both.first.get(f"/api/data/{both.data(both.first)[0]}").json()["object_name"])


def test_a_name_is_taken_once(both: Datalakes) -> None:
    """A second datalake of that name is refused, and nothing is made without a name."""
    with pytest.raises(Exception, match="returned non-zero exit status 1"):
        both.lake.run("datalake", "add", "second")
    with pytest.raises(Exception, match="returned non-zero exit status 1"):
        both.lake.run("datalake", "add", " ")
    assert len(both.lake.run("datalake", "list").splitlines()) == 2
