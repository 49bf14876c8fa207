"""How fast is the embedded lake? Each figure beside what limits it, in one run.

    python -m benchmarks.lake registers [--count 10000] [--connections 16] [--workers 1] [--database URL]
    python -m benchmarks.lake imports [--count 10000] [--photo FILE] [--s3] [--database URL]
    python -m benchmarks.lake pages [--count 1000000] [--folder DIR] [--database URL]

Run it from the root of a checkout. A folder of ``pages`` is filled once and found again the next time; a database by
URL must be empty, or for ``pages`` the one that an earlier run has filled. ``imports --s3`` starts an
S3 server of its own, Ceph's.
"""

import argparse
import base64
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode
from uuid import uuid4

from sqlalchemy import select

from airflow_provider_lake.server.bootstrap import open_lake
from airflow_provider_lake.server.settings import Settings
from airflow_provider_lake.server.store.tables import Datalake
from benchmarks.lake_rows import add_rows, fill_lake
from benchmarks.load import Load, request_bytes, run_load
from tests.lake_process import LakeProcess
from tests.videos import make_video
from tests.wire.job_calls import photo
from tests.wire.lake_api import LakeApi
from tests.wire.rgw import MISSING, RadosGateway

QUERIES = {
    "along the cursor": None,
    "one tag, every 2nd": 'tags.name = "half"',
    "one tag, every 1000th": 'tags.name = "rare"',
    "any of two tags": 'tags.name in ("tenth", "rare")',
    "metadata, every 100th": 'metadata.reference = "ref-7"',
    "metadata, all": 'metadata.manufacturer = "Canon"',
}
PAGE = 1000
ROUNDS = 300
# What clients send with every list.
ANY = [("upload_statuses", status) for status in ("PENDING", "COMPUTING", "DONE", "ERROR")]
IMPORT_BATCH = 500
WRITERS = 8
FINAL = {"SUCCEEDED", "FAILED", "KILLED"}


def measure_registers(arguments: argparse.Namespace, folder: Path) -> None:
    """Register stored photos over several connections; beside it rows alone, each in a transaction of its own."""
    alone = _raw_inserts(folder / "alone", arguments.database, max(arguments.count // 10, 1), 1)
    workers = ["--workers", str(arguments.workers)]
    with LakeProcess(folder / "lake", *workers, database_url=arguments.database) as lake:
        api = LakeApi(lake)
        tag = api.post(f"/api/datalake/{api.datalake}/tags", {"name": str(uuid4())}).json()["id"]
        names = list(_names(arguments.count, ".jpg"))
        _store(lake.objects, names, photo())
        path = f"/api/datalake/{api.datalake}/datas"
        prepared = [request_bytes("POST", path, lake.token, _body(name, tag)) for name in names]
        before = _cpu_seconds(lake)
        load = run_load(lake.url, iter(prepared), arguments.connections)
        milliseconds = 1000 * (_cpu_seconds(lake) - before) / arguments.count
    _check(load, b"201")
    print(f"registered: {load.rate:.0f}/s, {milliseconds:.2f} ms CPU each")
    print(f"answered within {load.percentile(50):.1f} ms (p50), {load.percentile(99):.1f} ms (p99)")
    print(f"rows alone, one in each transaction, by one writer: {alone:.0f}/s")


def measure_imports(arguments: argparse.Namespace, folder: Path) -> None:
    """Import by prefix what lies in the bucket; beside it a list of the bucket alone, and the same rows alone."""
    if arguments.s3 and MISSING:
        packages = "ceph-common ceph-mon ceph-osd radosgw"
        sys.exit(f"--s3 needs {', '.join(MISSING)}; Debian: apt-get install {packages}")
    inserted = _raw_inserts(folder / "alone", arguments.database, arguments.count, IMPORT_BATCH)
    with ExitStack() as stack:
        gateway = None
        if arguments.s3:
            (folder / "s3").mkdir()
            gateway = stack.enter_context(RadosGateway(folder / "s3"))
        bucket = gateway.new_bucket() if gateway else ""
        lake = LakeProcess(
            folder / "lake",
            *(["--storage", f"s3://{bucket}"] if gateway else []),
            database_url=arguments.database,
            environment=gateway.environment if gateway else None,
        )
        stack.enter_context(lake)
        names = list(_names(arguments.count, ".jpg" if arguments.photo else ".mp4"))
        content = arguments.photo.read_bytes() if arguments.photo else make_video(frames=1, size=(16, 16))
        if gateway:
            _store_in_s3(gateway, bucket, names, content)
        else:
            _store(lake.objects, names, content)
        listed = arguments.count / _seconds(lambda: _list(lake.objects, gateway, bucket))
        before = _cpu_seconds(lake)
        imported = arguments.count / _seconds(lambda: _import(LakeApi(lake)))
        milliseconds = 1000 * (_cpu_seconds(lake) - before) / arguments.count
    print(f"imported: {imported:.0f}/s, {milliseconds:.2f} ms CPU each")
    print(f"listed alone: {listed:.0f}/s; rows alone, {IMPORT_BATCH} in each transaction: {inserted:.0f}/s")
    print(f"the import reaches {100 * imported / min(listed, inserted):.0f} % of the slower one")


def measure_pages(arguments: argparse.Namespace, folder: Path) -> None:
    """Ask for pages of a thousand at several places of lists of several kinds."""
    lake_folder = arguments.folder or folder / "lake"
    fill_lake(lake_folder, arguments.count, arguments.database)
    with LakeProcess(lake_folder, database_url=arguments.database) as lake:
        api = LakeApi(lake)
        print(f"{'milliseconds':24} {'behind':>9} {'first':>8} {'p50':>8} {'p99':>8} {'CPU':>8}")
        for name, query in QUERIES.items():
            for position in (0, arguments.count // 2, arguments.count * 9 // 10):
                _measure_page(lake, api, name, query, position)


def _measure_page(lake: LakeProcess, api: LakeApi, name: str, query: str | None, position: int) -> None:
    given = [("limit", str(PAGE)), ("cursor", _cursor(position)), *ANY, *([("q", query)] if query else [])]
    request = request_bytes("GET", f"/api/datalake/{api.datalake}/datas?{urlencode(given)}", lake.token)
    first = run_load(lake.url, iter([request]), 1)
    before = _cpu_seconds(lake)
    load = run_load(lake.url, iter([request] * ROUNDS), 1)
    milliseconds = 1000 * (_cpu_seconds(lake) - before) / ROUNDS
    _check(load, b"200")
    figures = (first.percentile(50), load.percentile(50), load.percentile(99), milliseconds)
    print(f"{name:24} {position:>9}", *(f"{figure:8.1f}" for figure in figures), flush=True)


def _check(load: Load, status: bytes) -> None:
    if load.statuses.keys() != {status}:
        raise RuntimeError(f"answers other than {status.decode()}: {load.statuses}")


def _names(count: int, ending: str) -> Iterator[str]:
    return (f"camera/{number // 1000:05}/{number:09}{ending}" for number in range(count))


def _body(object_name: str, tag: str) -> bytes:
    body = {
        "type": "IMAGE",
        "filename": "a.jpg",
        "object_name": object_name,
        "content_type": "image/jpeg",
        "tags": [tag],
        "data_source_id": None,
        "meta": {"width": 640, "height": 480},
        "metadata": {"acquired_at": "2026-05-06T07:08:09"},
    }
    return json.dumps(body).encode()


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(str(position).encode()).decode().rstrip("=")


def _store(bucket: Path, names: Sequence[str], content: bytes) -> None:
    for folder in dict.fromkeys((bucket / name).parent for name in names):
        folder.mkdir(parents=True)
    for name in names:
        (bucket / name).write_bytes(content)


def _store_in_s3(gateway: RadosGateway, bucket: str, names: Sequence[str], content: bytes) -> None:
    client = gateway.client()
    with ThreadPoolExecutor(WRITERS) as pool:
        for _ in pool.map(lambda name: client.put_object(Bucket=bucket, Key=name, Body=content), names):
            pass


def _list(folder: Path, gateway: RadosGateway | None, bucket: str) -> int:
    if gateway is None:
        return sum(len(files) for _, _, files in os.walk(folder))
    pages = gateway.client().get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return sum(len(page.get("Contents", ())) for page in pages)


def _import(api: LakeApi) -> None:
    body = {"datalake_id": api.datalake, "prefixes": [""], "tag_ids": []}
    job = api.post(f"/api/datalake/{api.datalake}/objects", body).json()["job"]
    while job["status"] not in FINAL:
        time.sleep(0.02)
        job = api.get(f"/api/v2/job/{job['id']}").json()
    if job["status"] != "SUCCEEDED":
        raise RuntimeError(f"the import ended as {job['status']}")


def _raw_inserts(folder: Path, database_url: str | None, count: int, batch: int) -> float:
    """Return rows per second that a program inserts which does nothing else."""
    with open_lake(Settings(folder, database_url=database_url)) as lake:
        with lake.database.reading() as session:
            datalake_id = session.scalars(select(Datalake.id)).first()
        if datalake_id is None:
            raise RuntimeError("the lake has no datalake")
        started = time.perf_counter()
        for start in range(0, count, batch):
            with lake.database.writing() as session:
                add_rows(session.connection(), datalake_id, range(start, min(start + batch, count)), f"alone-{uuid4()}")
        return count / (time.perf_counter() - started)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _cpu_seconds(lake: LakeProcess) -> float:
    """Return how much of a processor a lake's processes have used so far."""
    return sum(_ticks(pid) for pid in _family(lake.process.pid)) / os.sysconf("SC_CLK_TCK")


def _family(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from _family(int(child))


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def main() -> None:
    """Measure one of the three, and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, measure, count in (
        ("registers", measure_registers, 10_000),
        ("imports", measure_imports, 10_000),
        ("pages", measure_pages, 1_000_000),
    ):
        command = commands.add_parser(name)
        command.set_defaults(measure=measure)
        command.add_argument("--count", type=int, default=count)
        command.add_argument("--database", metavar="URL")
        if name == "registers":
            command.add_argument("--connections", type=int, default=16)
            command.add_argument("--workers", type=int, default=1, help="processes of the lake")
        elif name == "imports":
            command.add_argument("--photo", type=Path, help="JPEG to import copies of; without it videos, never read")
            command.add_argument("--s3", action="store_true")
        else:
            command.add_argument("--folder", type=Path, help="folder of the filled lake, kept")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lake-benchmark-") as folder:
        arguments.measure(arguments, Path(folder))


if __name__ == "__main__":
    main()
