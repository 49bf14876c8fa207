"""What `benchmarks.faults` has a client do, in a process of its own; prints which items the client reports as failed.

python -m benchmarks.fault_programs WORK CLIENT URL TOKEN ARGUMENT
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.side_by_side import silence_published

TAG = "faults"
PROCESSING = "counted"


def upload_ours(url: str, token: str, folder: str) -> list[str]:
    """Upload the files of a folder by this client."""
    from airflow_provider_lake.client import Client, ErrorManager  # noqa: PLC0415 - as below

    errors = ErrorManager()
    with Client(token, host=url) as client:
        client.get_datalake().upload_data(_files(folder), tags=TAG, error_manager=errors)
    return [Path(error.path).name for error in errors.errors]


def upload_published(url: str, token: str, folder: str) -> list[str]:
    """Upload the files of a folder by the published client."""
    datalake, tag = _published(url, token)
    from picsellia.services.error_manager import ErrorManager  # noqa: PLC0415 - once it is silent

    errors = ErrorManager()
    try:
        datalake.upload_data(_files(folder), tags=[tag], error_manager=errors)
    except Exception as error:  # noqa: BLE001 - whatever it raises
        print(error, file=sys.stderr)
    return [Path(str(error.path)).name for error in errors.errors if hasattr(error, "path")]


def retry_ours(url: str, token: str, folder: str) -> list[str]:
    """Upload the files of a folder by a task that has a manifest, which is all that this try knows of earlier ones."""
    os.environ["AIRFLOW_CONN_LAKE_DEFAULT"] = json.dumps({"conn_type": "lake", "host": url, "password": token})
    from airflow_provider_lake.operators.upload import UploadDataOperator  # noqa: PLC0415 - loads Airflow
    from tests.tries import Tries  # noqa: PLC0415 - as above

    tries = Tries()
    tries.run_id = "killed"
    context = tries.next()
    del context["task_state_store"]
    manifest = f"{folder}.manifest/run.jsonl"
    UploadDataOperator(task_id="upload", filepaths=folder, tags=TAG, manifest=manifest).execute(context)
    return []


def launch_ours(url: str, token: str, count: str) -> list[str]:
    """Launch so many jobs, each with a key, as tasks do."""
    from airflow_provider_lake.client import Client  # noqa: PLC0415 - as above

    with Client(token, host=url) as client:
        datalake, processing = client.get_datalake(), client.get_processing(PROCESSING)
        data = datalake.list_data(tags=TAG)

        def launch(number: str) -> object:
            return datalake.launch_processing(processing, data, {"number": number}, idempotency_key=number)

        return _failed(launch, map(str, range(int(count))))


def launch_published(url: str, token: str, count: str) -> list[str]:
    """Launch so many jobs by the published client."""
    datalake, tag = _published(url, token)
    processing = _insist(lambda: _processing(url, token))
    data = _insist(lambda: datalake.list_data(tags=[tag]))
    return _failed(
        lambda number: datalake.launch_processing(processing, data, parameters={"number": number}),
        map(str, range(int(count))),
    )


def _processing(url: str, token: str) -> Any:
    import picsellia  # noqa: PLC0415 - once it is silent

    return picsellia.Client(token, host=url).get_processing(PROCESSING)


def _published(url: str, token: str) -> tuple[Any, Any]:
    """Return datalake and tag of the published client."""
    silence_published()
    import picsellia  # noqa: PLC0415 - reads the environment when it is imported

    datalake = _insist(lambda: picsellia.Client(token, host=url).get_datalake())
    return datalake, _insist(lambda: datalake.get_or_create_data_tag(TAG))


def _insist(work: Callable[[], Any], attempts: int = 10) -> Any:
    """Try again what meets a fault before that begins which is compared."""
    for attempt in range(1, attempts + 1):
        try:
            return work()
        except Exception as error:
            if attempt == attempts:
                raise
            print(error, file=sys.stderr)
    return None


def _failed(work: Callable[[str], object], items: Iterable[str]) -> list[str]:
    """Do something with each item; return those with which it failed."""
    failed = []
    for item in items:
        try:
            work(item)
        except Exception as error:  # noqa: BLE001 - whatever it raises
            print(error, file=sys.stderr)
            failed.append(item)
    return failed


def _files(folder: str) -> list[str]:
    return sorted(map(str, Path(folder).iterdir()))


# Without a memory of its own, a program that is tried again does the same again.
WORK = {
    ("upload", "ours"): upload_ours,
    ("upload", "published"): upload_published,
    ("retry", "ours"): retry_ours,
    ("retry", "published"): upload_published,
    ("launch", "ours"): launch_ours,
    ("launch", "published"): launch_published,
}


if __name__ == "__main__":
    work, client, url, token, argument = sys.argv[1:]
    started = time.monotonic()
    failed = WORK[work, client](url, token, argument)
    print(json.dumps({"failed": failed, "seconds": time.monotonic() - started}))
