"""How fast are data listed? This client beside the published one, in one run, against a lake that costs nothing.

    python -m benchmarks.listing [--rows 100000] [--iterate 1000000] [--rounds 3]
    python -m benchmarks.listing --curve

Every round is a process of its own, first one client's, then the other's; of the rounds the median counts. Memory is
what the process grew by. ``--iterate`` also walks over so many rows with ``iter_data``, keeping none. ``--curve`` gives
the cost of this client alone for sizes from 1,000 on: of lists, of walks, and of an upload's own bookkeeping.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from benchmarks.canned_lake import DATALAKE, TOKEN, canned_lake, data
from benchmarks.side_by_side import CLIENTS, published_datalake, report, table

PAGE = 1000
# Of what is walked over; a list holds all of its rows, so it stops before.
SIZES = (1_000, 10_000, 100_000, 1_000_000)
LONGEST_LIST = 100_000


def make_page(path: Path, count: int) -> None:
    """Write a page of different data, which serves as every page of many."""
    more = {"created_at": "2026-11-24T10:00:00.123456+00:00", "file_size": 19000}
    page = {"items": [data(str(uuid4()), **more) for _ in range(PAGE)], "count": count, "next_cursor": "next"}
    path.write_text(json.dumps(page))


def run(client: str, url: str, rows: int) -> None:
    """List by one client, and print what it took."""
    if client == "published":
        datalake = published_datalake(url)
        report(lambda: datalake.list_data(limit=rows))
        return
    from airflow_provider_lake.client import Client  # noqa: PLC0415 - the other one is not to pay for it
    from airflow_provider_lake.client.concurrency.worker_pool import AdaptiveConcurrency, run_all  # noqa: PLC0415 - likewise
    from airflow_provider_lake.client.uploads import plan_files  # noqa: PLC0415 - likewise

    if client == "bookkeeping":
        paths = [f"folder/{number}.jpg" for number in range(rows)]
        report(lambda: run_all(lambda file: file, plan_files(paths, None, None, None), None, AdaptiveConcurrency()))
        return
    ours = Client(TOKEN, host=url).get_datalake()
    if client == "ours":
        report(lambda: ours.list_data(limit=rows))
    else:
        for _ in ours.iter_data(limit=PAGE):
            pass
        report(lambda: sum(1 for _ in ours.iter_data(limit=rows)))


def measure(client: str, url: str, rows: int) -> dict[str, float]:
    """Run one client in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.listing", "--run", client, url, str(rows)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def curve(url: str) -> None:
    """Print what a row, or a file, costs in lists and uploads of several sizes."""
    print("| rows | list_data | iter_data | bookkeeping of an upload |\n|---|---|---|---|")
    for size in SIZES:
        runs = ("ours", "iterate", "bookkeeping") if size <= LONGEST_LIST else ("iterate", "bookkeeping")
        costs = {run: f"{measure(run, url, size)['cpu'] * 1e6 / size:.1f} \u00b5s" for run in runs}
        print(f"| {size:,} | {costs.get('ours', '')} | {costs['iterate']} | {costs['bookkeeping']} |", flush=True)


def main() -> None:
    """Compare, or run one client where the comparison says so."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--iterate", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--curve", action="store_true")
    parser.add_argument("--run", nargs=3, metavar=("CLIENT", "URL", "ROWS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        client, url, rows = arguments.run
        run(client, url, int(rows))
        return
    with TemporaryDirectory() as folder:
        # Readable for the worker processes of nginx, which may run as another user.
        Path(folder).chmod(0o755)
        page = Path(folder) / "page.json"
        make_page(page, arguments.rows)
        with canned_lake(files={f"/api/datalake/{DATALAKE}/datas": page}) as url:
            if arguments.curve:
                curve(url)
                return
            rounds = [[measure(client, url, arguments.rows) for client in CLIENTS] for _ in range(arguments.rounds)]
            table(f"list_data of {arguments.rows:,} rows", "row", arguments.rows, rounds)
            if arguments.iterate:
                grown = measure("iterate", url, arguments.iterate)["memory"] / 1e6
                print(f"\niter_data of {arguments.iterate:,} rows grows memory by {grown:.1f} MB")


if __name__ == "__main__":
    main()
