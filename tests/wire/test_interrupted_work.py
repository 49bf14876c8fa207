"""Whoever waits for many threads is interrupted, as by an execution timeout: it ends within a moment."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.client import Client
from airflow_provider_lake.operators.download import DownloadDataOperator
from airflow_provider_lake.operators.projection import CreateProjectionOperator
from airflow_provider_lake.operators.upload import UploadDataOperator
from tests.fault_proxy import Fault, FaultProxy, fault_proxy
from tests.lake_process import LakeProcess

RETRY_AFTER = 6
STALL = 30.0
SOON = 2.5


class Interrupted(BaseException):
    """What the handler of the signal raises."""


def _interrupt(_signal: int, _frame: object) -> None:
    raise Interrupted


@pytest.fixture
def network(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Carry what the connection sends; break nothing at first."""
    datalake = lake.client().get_datalake()
    if "interrupted" not in [tag.name for tag in datalake.list_data_tags()]:
        datalake.upload_data(make_photos(lake.data_dir.parent / "interrupted", 6, seed=8), tags=["interrupted"])
    with fault_proxy(lake.url, 0, seed=1, stall_seconds=STALL, retry_after_seconds=RETRY_AFTER) as proxy:
        monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection(host=proxy.url))
        yield proxy


def _upload(_lake: LakeProcess, _proxy: FaultProxy, folder: Path) -> Callable[[], object]:
    paths = [str(path) for path in make_photos(folder / "new", 6, seed=9)]
    operator = UploadDataOperator(task_id="upload", filepaths=paths)
    return lambda: operator.execute({})


def _download(_lake: LakeProcess, _proxy: FaultProxy, folder: Path) -> Callable[[], object]:
    operator = DownloadDataOperator(task_id="download", tags="interrupted", target=str(folder / "here"))
    return lambda: operator.execute({})


def _project(lake: LakeProcess, _proxy: FaultProxy, _folder: Path) -> Callable[[], object]:
    operator = CreateProjectionOperator(
        task_id="project",
        tags="interrupted",
        projection=f"preview {time.monotonic()}",
        filepath=f"{lake.data_dir.parent / 'interrupted'}/{{filename}}",
    )
    return lambda: operator.execute({})


def _client_download(lake: LakeProcess, proxy: FaultProxy, folder: Path) -> Callable[[], object]:
    data = Client(lake.token, host=proxy.url).get_datalake().list_data(tags=["interrupted"])
    return lambda: data.download(folder / "by client")


WORK = {"upload": _upload, "download": _download, "projections": _project, "client download": _client_download}


@pytest.mark.parametrize("fault", [Fault.LIMITED, Fault.STALLED], ids=["Retry-After", "stalled"])
@pytest.mark.parametrize("work", WORK)
def test_it_ends_within_a_moment(
    lake: LakeProcess, network: FaultProxy, tmp_path: Path, work: str, fault: Fault
) -> None:
    """While its threads wait as the lake asked, or for bytes that do not come; none of them goes on."""
    run = WORK[work](lake, network, tmp_path)
    broken = threading.Event()

    def draw() -> Fault | None:
        network.exchanges += 1
        # The work has threads by then.
        if network.exchanges < begun + 5:
            return None
        broken.set()
        return fault

    def interrupt() -> None:
        broken.wait(60)
        time.sleep(0.3)  # the answers are to arrive
        interrupted_at.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGUSR1)

    begun, interrupted_at = network.exchanges, list[float]()
    network.draw = draw  # type: ignore[method-assign]
    before = signal.signal(signal.SIGUSR1, _interrupt)
    timer = threading.Thread(target=interrupt)
    timer.start()
    try:
        with pytest.raises(Interrupted):
            run()
        seconds = time.monotonic() - interrupted_at[0]
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)

    assert seconds < SOON
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("lake-")]
    for thread in threads:
        thread.join(SOON)
    assert [thread.name for thread in threads if thread.is_alive()] == []
