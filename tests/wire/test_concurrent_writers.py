"""Many clients that write at the same time."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import requests

from tests.lake_process import LakeProcess
from tests.wire.job_calls import photo
from tests.wire.lake_api import LakeApi

WRITERS = 8


def _at_once(lake: LakeProcess, call: Callable[[LakeApi], requests.Response]) -> list[requests.Response]:
    """Make the same call from several clients."""
    apis = [LakeApi(lake) for _ in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(call, apis))


def test_one_object_becomes_one_data(lake: LakeProcess, api: LakeApi) -> None:
    """One client is told that it is new, the others are given the same one."""
    for _ in range(5):
        stored = api.upload("same.jpg", photo())

        answers = _at_once(lake, lambda client, stored=stored: client.register("same.jpg", stored))  # type: ignore[misc]  # a default

        assert Counter(answer.status_code for answer in answers) == {201: 1, 208: WRITERS - 1}
        assert len({answer.json()["id"] for answer in answers}) == 1


def test_one_name_becomes_one_tag(lake: LakeProcess, api: LakeApi) -> None:
    """One client creates it, the others are told that it is there."""
    path = f"/api/datalake/{api.datalake}/tags"
    for _ in range(5):
        body = {"name": f"tag-{uuid4()}"}

        answers = _at_once(lake, lambda client, body=body: client.post(path, body))  # type: ignore[misc]  # a default

        created = [answer.status_code for answer in answers if answer.ok]
        assert len(created) == 1
        assert Counter(answer.status_code for answer in answers)[409] == WRITERS - 1


def test_a_reader_along_the_cursor_misses_nothing_that_is_written_meanwhile(lake: LakeProcess, api: LakeApi) -> None:
    """Every page begins where the last one ended, however many write: no row appears behind the reader."""
    tag = api.post(f"/api/datalake/{api.datalake}/tags", {"name": f"tag-{uuid4()}"}).json()
    stored = [[api.upload("a.jpg", photo()) for _ in range(10)] for _ in range(WRITERS)]

    def register(names: list[str]) -> list[str]:
        client = LakeApi(lake)
        return [client.register("a.jpg", name, tags=[tag["id"]]).json()["id"] for name in names]

    seen: list[str] = []
    cursor: dict[str, str] = {}
    with ThreadPoolExecutor(WRITERS) as pool:
        writing = [pool.submit(register, names) for names in stored]
        while True:
            is_over = all(each.done() for each in writing)
            query = {"q": f'tags.name = "{tag["name"]}"', "limit": "3", **cursor}
            page = api.get(f"/api/datalake/{api.datalake}/datas", params=query).json()
            seen += [item["id"] for item in page["items"]]
            if page["next_cursor"]:
                cursor = {"cursor": page["next_cursor"]}
            elif is_over:
                break
            else:
                seen = seen[: len(seen) - len(page["items"])]

    assert seen == list(dict.fromkeys(seen))
    assert sorted(seen) == sorted(data_id for each in writing for data_id in each.result())
