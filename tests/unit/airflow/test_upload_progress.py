"""How far an upload has come, across tries."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lake.ingest.progress import CHUNK_FILES, UploadProgress
from airflow_provider_lake.tasks.failures import MAX_SUMMARY_ITEMS
from tests.tries import Tries


def _result(place: int, status: str, *, is_final: bool = False) -> dict[str, Any]:
    reason = "busy" if status == "failed" else None
    return {
        "path": f"{place}.jpg",
        "status": status,
        "data_id": str(place),
        "reason": reason,
        "is_final": is_final,
    }


def _paths(count: int) -> list[str]:
    return [f"{place}.jpg" for place in range(count)]


def _try(context: Any, count: int, failing: set[int], chunks: int) -> tuple[UploadProgress, list[int]]:
    """Work on so many chunks, then lose the process; return the progress and the files that became data."""
    progress = UploadProgress.resume(context, _paths(count), "tags")
    done = []
    for number, chunk in enumerate(progress.chunks(_paths(count))):
        if number == chunks:
            break
        for place in chunk:
            progress.add(place, _result(place, "failed" if place in failing else "uploaded"))
            if place not in failing:
                done.append(place)
        progress.save(context)
    return progress, done


@given(
    count=st.integers(0, 4 * CHUNK_FILES),
    failing=st.sets(st.integers(0, 4 * CHUNK_FILES)),
    deaths=st.lists(st.integers(0, 6), max_size=4),
)
def test_every_file_becomes_data_once_wherever_tries_end(count: int, failing: set[int], deaths: list[int]) -> None:
    """Files fail at every try but the last, and tries end at any chunk's border; then one runs to its end."""
    tries, done = Tries(retries=10), []
    for chunks in deaths:
        done += _try(tries.next(), count, failing, chunks)[1]
    tries.try_number = max(tries.try_number, 1)

    last, rest = _try(tries.next(), count, set(), chunks=1000)

    assert sorted(done + rest) == list(range(count))
    assert last.summary()["uploaded"] == count
    assert (last.failure_count, last.summary()["failures"]) == (0, [])


def test_another_selection_or_a_cleared_task_begins_anew() -> None:
    """What is kept belongs to the same files and tags, and to tries since the last clear; more files may have come."""
    tries = Tries()
    _try(tries.next(), 10, set(), chunks=1)

    def uploaded(paths: list[str], tags: str = "tags") -> int:
        return UploadProgress.resume(tries.next(), paths, tags).uploaded

    assert uploaded(_paths(10)) == uploaded(_paths(12)) == 10
    assert uploaded(["new.jpg", *_paths(10)]) == uploaded(_paths(9)) == uploaded(_paths(10), "other tags") == 0
    tries.clear()
    assert uploaded(_paths(10)) == 0


def test_a_summary_stays_small() -> None:
    """Counts are whole, lists are cut; ids are left out where they are not all there."""
    progress = UploadProgress("files")
    for place in range(MAX_SUMMARY_ITEMS + 1):
        progress.add(place, _result(place, "uploaded"))
        progress.add(place, _result(place, "skipped"))
        progress.add(place, _result(place, "failed", is_final=place % 2 == 0))

    summary = progress.summary()

    assert {summary[word] for word in ("uploaded", "skipped", "failed")} == {MAX_SUMMARY_ITEMS + 1}
    assert (len(summary["failures"]), summary["data_ids"]) == (MAX_SUMMARY_ITEMS, None)
