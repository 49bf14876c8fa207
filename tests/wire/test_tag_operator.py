"""Tagging data as a task, against a real lake."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.client import LakeError, Tag
from airflow_provider_lake.exceptions import LakePermanentError
from airflow_provider_lake.operators.tag import TagDataOperator
from tests.lake_process import LakeProcess
from tests.tries import Tries
from tests.wire.task_data import upload


@pytest.fixture
def tag(lake: LakeProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Upload photos under a tag of the test's own."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())
    name = f"tagged-{uuid4().hex[:8]}"
    upload(make_photos(tmp_path, 3), tags=[name])
    return name


def _tag(context: Any = None, **options: Any) -> dict[str, Any]:
    summary: dict[str, Any] = TagDataOperator(task_id="tag", **options).execute({} if context is None else context)
    return summary


def _names(lake: LakeProcess, tag: str) -> list[set[str]]:
    return [{each.name for each in data.tags} for data in lake.client().get_datalake().list_data(tags=[tag])]


def test_tags_are_put_on_and_taken_off(lake: LakeProcess, tag: str) -> None:
    """Those that are missing are made; doing it again changes nothing."""
    new, old = f"{tag}-new", f"{tag}-old"
    _tag(tags=tag, attach=old)

    for _ in range(2):
        summary = _tag(tags=tag, attach=[new, f"{new}-2"], detach=old)

    assert _names(lake, tag) == [{tag, new, f"{new}-2"}] * 3
    assert summary == {"datalake": "default", "data_count": 3, "attached": [new, f"{new}-2"], "detached": [old]}


def test_a_retry_goes_on_though_the_tag_that_selects_is_the_one_taken_off(lake: LakeProcess, tag: str) -> None:
    """What an earlier try has moved on is not found any more; that is no reason to fail."""
    tries, done = Tries(), f"{tag}-done"
    first = lake.client().get_datalake().list_data(tags=[tag])[0]
    first.add_tags(lake.client().get_datalake().get_or_create_data_tag(done))
    first.remove_tags(lake.client().get_datalake().get_data_tag(tag))

    rest = _tag(tries.next(), tags=tag, attach=done, detach=tag)
    nothing = _tag(tries.next(), tags=tag, attach=done, detach=tag)
    not_skipped = _tag(tries.next(), tags=tag, attach=done, detach=tag, skip_if_empty=True)

    assert [summary["data_count"] for summary in (rest, nothing, not_skipped)] == [2, 0, 0]
    assert _names(lake, done) == [{done}] * 3
    tries.clear()
    with pytest.raises(LakePermanentError, match="has no data for"):
        _tag(tries.next(), tags=tag, attach=done, detach=tag)


def test_a_task_that_dies_while_it_tags_finds_the_data_again(
    lake: LakeProcess, tag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They lose the tag that selects them last."""
    tries, done = Tries(), f"{tag}-done"

    def die(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Tag, "attach_on", die)
        with pytest.raises(KeyboardInterrupt):
            _tag(tries.next(), tags=tag, attach=done, detach=tag)
    again = _tag(tries.next(), tags=tag, attach=done, detach=tag)

    assert again["data_count"] == 3
    assert _names(lake, done) == [{done}] * 3


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "no tag given"),
        ({"attach": "a", "detach": ["b", "a"]}, "tag 'a' is given to attach and to detach"),
        ({"attach": "never made", "detach": "no such tag"}, "no data tag named 'no such tag'"),
        ({"attach": "never made", "query": 'filename = "no such file"'}, "has no data for"),
    ],
)
def test_what_makes_no_sense_changes_nothing(lake: LakeProcess, tag: str, options: dict[str, Any], reason: str) -> None:
    """No tag is made either."""
    with pytest.raises(LakePermanentError, match=reason):
        _tag(tags=tag, **options)

    assert _names(lake, tag) == [{tag}] * 3
    with pytest.raises(LakeError):
        lake.client().get_datalake().get_data_tag("never made")
