"""A manifest that is written in parts, and what a retry finds of it."""

from collections.abc import Iterable
from contextlib import suppress
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_lake.exceptions import LakePermanentError
from airflow_provider_lake.files.manifest import read_manifest
from airflow_provider_lake.files.targets import Target
from airflow_provider_lake.ingest.manifest import Manifest
from tests.tries import Tries


def _result(path: str, status: str, *, is_final: bool) -> dict[str, Any]:
    return {"path": path, "status": status, "data_id": f"id of {path}", "reason": None, "is_final": is_final}


RESULTS = st.builds(
    _result,
    st.sampled_from(["a", "b", "c", "ü \udce9", "e"]),
    st.sampled_from(["uploaded", "skipped", "failed"]),
    is_final=st.booleans(),
)


def _done(results: Iterable[dict[str, Any]]) -> set[str]:
    return {each["path"] for each in results if each["status"] != "failed" or each["is_final"]}


# Every part is synced to the disk, which takes its time.
@settings(max_examples=40, deadline=None)
@given(
    parts=st.lists(st.lists(RESULTS, max_size=4), max_size=5), finished=st.integers(0, 5), lost=st.sets(st.integers())
)
def test_nothing_that_was_done_is_forgotten_wherever_a_try_ends(
    parts: list[list[dict[str, Any]]], finished: int, lost: set[int]
) -> None:
    """Parts are written, a manifest is finished after some of them, and it dies while it deletes these."""
    with TemporaryDirectory() as folder:
        url, context = f"{folder}/run.jsonl", Tries().next()
        manifest = Manifest(url, context)
        for part in parts[:finished]:
            manifest.add(part)
        kept = {path: path.read_bytes() for path in Path(f"{url}.parts").glob("*")}
        if finished:
            manifest.finish()
        for number, (path, content) in enumerate(kept.items()):
            if number not in lost:
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
        for part in parts[finished:]:
            manifest.add(part)

        found = list(Manifest(url, context).previous_results())

    written = list(chain(*parts))
    assert sorted(each["path"] for each in found) == sorted({each["path"] for each in written})
    assert _done(found) == _done(written)


def test_what_was_begun_is_kept_until_all_is_done(tmp_path: Path) -> None:
    """A file that failed may have been registered all the same."""
    url, context = str(tmp_path / "run.jsonl"), Tries().next()
    manifest = Manifest(url, context)

    manifest.mark_started({"a": "object a"})
    manifest.add([_result("a", "failed", is_final=False)])
    manifest.finish()
    assert Manifest(url, context).started() == {"a": "object a"}

    manifest.add([_result("a", "uploaded", is_final=True)])
    manifest.finish()
    assert Manifest(url, context).started() == {}
    assert [path.name for path in tmp_path.iterdir()] == ["run.jsonl"]


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    """What was there stays when the writing breaks off, and nothing is left beside it."""
    path = tmp_path / "run.jsonl"
    path.write_text("before")

    with suppress(RuntimeError), Target.at(path).writing() as incomplete:
        incomplete.write_text("aft")
        raise RuntimeError
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("run.jsonl", "before")]

    with Target.at(f"file://{path}").writing() as incomplete:
        incomplete.write_text("after")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("run.jsonl", "after")]


@pytest.mark.parametrize(
    "line", ["words", "[]", '{"path": "a"}', '{"path": "a", "status": "eaten"}', '{"status": "failed"}']
)
def test_a_file_that_is_something_else_is_refused(tmp_path: Path, line: str) -> None:
    """And named."""
    path = tmp_path / "notes.txt"
    path.write_text(f"{line}\n")

    with pytest.raises(LakePermanentError, match=r"notes\.txt is no manifest"):
        list(read_manifest(str(path)))


@pytest.mark.parametrize("name", ["x" * 255, "x" * 249 + ".jsonl", "ü" * 124 + ".jsonl"])
@pytest.mark.parametrize("map_index", [-1, 12])
def test_a_manifest_may_have_any_name_that_a_file_may_have(tmp_path: Path, name: str, map_index: int) -> None:
    """What lies beside it has a longer one; names that differ at their end stay different."""
    context = Tries().next()
    context["ti"].map_index = map_index
    for each in (name, name[:-1] + "2"):
        manifest = Manifest(tmp_path / each, context)
        manifest.mark_started({"a": "object a"})
        manifest.add([_result("a", "failed", is_final=False)])
        manifest.finish()
        assert manifest.started() == {"a": "object a"}
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("empty", ["", " ", Path()])
def test_an_empty_name_is_refused(empty: str | Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It means nothing, and never the working directory."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(LakePermanentError, match="manifest is"):
        Manifest(empty, Tries().next())
    with pytest.raises(LakePermanentError, match="target is"):
        Target.at(empty)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", ["", "/", "/day", "/day/a b#?%20[1]", "/day//"])
def test_what_is_written_is_found_again_in_folders_and_buckets(tmp_path: Path, below: str) -> None:
    """At every depth, by the target itself and by its URL."""
    name = "photo[1] ?#%41.jpg"
    for root in (str(tmp_path), f"memory://written-{tmp_path.name}"):
        folder = Target.at(root + below)
        folder.make_folder()
        target = folder.child(name)
        assert target.size() is None
        with target.writing() as path:
            path.write_bytes(b"content")

        assert folder.list_names() == [name]
        for each in (target, Target.at(target.url)):
            assert each.size() == 7
            with each.reading() as file:
                assert file.read() == b"content"
        target.delete()
        assert folder.list_names() == []


def test_what_is_no_more_is_not_in_the_manifest(tmp_path: Path) -> None:
    """A folder that could not be read, and can be now, has not failed."""
    url, context = str(tmp_path / "run.jsonl"), Tries().next()
    manifest = Manifest(url, context)
    manifest.add([_result("locked", "failed", is_final=False), _result("a", "uploaded", is_final=True)])
    manifest.finish({"locked", "a"})
    manifest.add([_result("locked/b", "uploaded", is_final=True)])

    manifest.finish({"a", "locked/b"})

    assert [each["path"] for each in read_manifest(url)] == ["a", "locked/b"]
    assert [path.name for path in tmp_path.iterdir()] == ["run.jsonl"]
