"""An upload whose process is killed, at random moments, and then tried again: against a real lake."""

import json
import os
import random
import signal
import threading
from collections import Counter
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image

from airflow_provider_lake.client.transport.session import Session
from airflow_provider_lake.files.manifest import read_manifest
from airflow_provider_lake.ingest import progress as upload_progress
from airflow_provider_lake.operators.upload import UploadDataOperator
from tests.lake_process import LakeProcess
from tests.tries import Tries

FILES = 24
CHUNK = 7
# Requests that such an upload takes at most.
REQUESTS = 5 * FILES
KILLS = 3


class _KeptTries(Tries):
    """Tries of one task whose state outlives their processes, in a file."""

    def __init__(self, path: Path) -> None:
        super().__init__(retries=KILLS + 1)
        self._path = path

    def next(self) -> Any:
        """Return the context of the next try."""
        self.state = json.loads(self._path.read_text()) if self._path.exists() else {}
        context = super().next()
        context["task_state_store"].set = self._set
        return context

    def _set(self, key: str, value: Any) -> None:
        self.state[key] = value
        written = self._path.with_suffix(".new")
        written.write_text(json.dumps(self.state))
        written.replace(self._path)


def _die_at(request: int, *, is_sent: bool) -> None:
    """Have this process killed at one of its requests: before it is sent, or when its answer has come."""
    count, lock, send = 0, threading.Lock(), Session.request

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal count
        with lock:
            count += 1
            is_last = count == request
        if is_last and not is_sent:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = send(*arguments, **options)
        if is_last:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    Session.request = counted  # type: ignore[method-assign]  # in a process that is about to die


def _try(context: Any, options: dict[str, Any], result: Path, death: tuple[int, bool] | None) -> None:
    if death is not None:
        _die_at(death[0], is_sent=death[1])
    upload_progress.CHUNK_FILES = CHUNK
    summary = UploadDataOperator(task_id="upload", **options).execute(context)
    result.write_text(json.dumps(summary))


def _make_pictures(folder: Path, dice: random.Random) -> list[Path]:
    """Make pictures that are all different."""
    folder.mkdir()
    paths = [folder / f"{number:02d}.png" for number in range(FILES)]
    for path in paths:
        Image.frombytes("RGB", (8, 8), dice.randbytes(192)).save(path)
    return paths


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("knows", "options"),
    [
        ("store", {}),
        ("manifest", {}),
        ("manifest", {"if_exists": "skip"}),
        ("nothing", {"if_exists": "skip"}),
        ("nothing", {"if_exists": "skip_content"}),
    ],
)
def test_no_file_is_lost_or_registered_twice(
    lake: LakeProcess,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    knows: str,
    options: dict[str, Any],
    seed: int,
) -> None:
    """Whether tries know of each other by Airflow 3.3, by the manifest, or only by what the lake has."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())
    folder, tag, dice = tmp_path / "photos", f"killed-{uuid4().hex[:8]}", random.Random(seed)
    # Of its own: what another test has uploaded would be known by its content.
    paths = _make_pictures(folder, random.Random(tag))
    options = options | {"filepaths": str(folder), "tags": [tag], "source": tag}
    # What other threads had under way could arrive after the next try has looked, which comes at once here. By its
    # object name it is registered once all the same; by what the lake has, a retry_delay must be longer than that.
    options |= {"max_workers": 1 if knows == "nothing" else 4}
    options |= {"manifest": str(tmp_path / "run.jsonl")} if knows == "manifest" else {}
    tries, result = _KeptTries(tmp_path / "state.json"), tmp_path / "result.json"
    deaths = [(dice.randint(1, REQUESTS // 2), dice.random() < 0.5) for _ in range(KILLS)]

    ends: list[int | None] = []
    for death in [*deaths, None]:
        context = tries.next()
        if knows != "store":
            context.pop("task_state_store")
        process = get_context("fork").Process(target=_try, args=(context, options, result, death))
        process.start()
        process.join()
        ends.append(process.exitcode)
        if process.exitcode == 0:
            break

    assert ends == [-signal.SIGKILL] * (len(ends) - 1) + [0]
    assert len(ends) > 1
    summary = json.loads(result.read_text())
    found = Counter(data.filename for data in lake.client().get_datalake().list_data(tags=[tag]))
    assert found == {path.name: 1 for path in paths}
    assert summary["uploaded"] + summary["skipped"] == FILES
    assert summary["failed"] == 0
    if knows != "nothing":
        # What was registered in the moment of the kill is known to be this task's own.
        assert summary["skipped"] == 0
        assert len(set(summary["data_ids"])) == FILES
    if knows == "manifest":
        lines = list(read_manifest(summary["manifest"]))
        assert {Path(line["path"]).name: line["status"] for line in lines} == {path.name: "uploaded" for path in paths}
        assert sorted(line["data_id"] for line in lines) == sorted(summary["data_ids"])
        assert [path.name for path in tmp_path.glob("run*")] == ["run.jsonl"]
