"""What do a bad network and killed processes do? This client beside the published one, through the same seeded faults.

    python -m benchmarks.faults [--files 1000] [--shares 0.05 0.2] [--launches 200] [--kills 5] [--seeds 1 2 3]
        [--clients ours]

Each client works with an embedded lake of its own, through a proxy that breaks a share of all exchanges: closed before
forwarding, closed after the lake has acted, 503, 429 with Retry-After, answers cut off, stalls of 2 s; calls of the API
and of the storage alike. It uploads files; it launches jobs; and it uploads files while its process is killed again and
again, and started anew, with nothing else broken. Then the lake itself is asked what it has.
"""

import argparse
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from airflow_provider_lake.client import NoDataError
from benchmarks.fault_programs import PROCESSING, TAG
from benchmarks.side_by_side import CLIENTS
from benchmarks.upload import make_photos
from tests.fault_proxy import FaultProxy, fault_proxy
from tests.lake_process import LakeProcess

Figures = dict[str, float]


@contextmanager
def lake_behind_proxy(share: float, seed: int) -> Iterator[tuple[LakeProcess, FaultProxy]]:
    """Run a lake, and a proxy before it."""
    with (
        TemporaryDirectory() as home,
        LakeProcess(Path(home) / "lake") as lake,
        fault_proxy(lake.url, share, seed) as proxy,
    ):
        yield lake, proxy


def command(work: str, client: str, proxy: FaultProxy, lake: LakeProcess, argument: object) -> list[str]:
    """Return the command that has a client do some work."""
    program = [sys.executable, "-m", "benchmarks.fault_programs"]
    return [*program, work, client, proxy.url, lake.token, str(argument)]


def measure_upload(client: str, folder: Path, share: float, seed: int) -> Figures:
    """Let one client upload, and return what came of it."""
    with lake_behind_proxy(share, seed) as (lake, proxy):
        done = subprocess.run(
            command("upload", client, proxy, lake, folder), check=True, stdout=subprocess.PIPE, text=True
        )
        told = json.loads(done.stdout.splitlines()[-1])
        return judge_upload(lake, folder, set(told["failed"])) | {
            "exchanges": proxy.exchanges,
            "of them broken": proxy.faults.total(),
            "seconds": round(told["seconds"]),
        }


def judge_upload(lake: LakeProcess, folder: Path, failed: set[str]) -> Figures:
    """Ask a lake what it has, and count what is wrong with it."""
    names = {path.name for path in folder.iterdir()}
    try:
        data = list(lake.client().get_datalake().list_data(tags=TAG))
    except NoDataError:
        data = []
    times = Counter(each.filename for each in data)
    # Beside the data lie the thumbnails that the lake makes of them.
    stored = {str(path.relative_to(lake.objects)) for path in lake.objects.glob("data/**/*") if path.is_file()}
    return {
        "registered": len(times),
        "lost": len(names - set(times)),
        "registered more than once": sum(count > 1 for count in times.values()),
        "reported failed": len(failed),
        "lost and not reported": len(names - set(times) - failed),
        "objects without data": len(stored - {each.object_name for each in data}),
    }


def measure_launch(client: str, folder: Path, launches: int, share: float, seed: int) -> Figures:
    """Let one client launch jobs, and return what came of it."""
    with lake_behind_proxy(share, seed) as (lake, proxy):
        register = [sys.executable, "-m", "airflow_provider_lake.cli", "processing", "register"]
        register += ["--data-dir", str(lake.data_dir), PROCESSING, "--", "true"]
        subprocess.run(register, check=True, stdout=subprocess.DEVNULL)
        lake.client().get_datalake().upload_data(min(folder.iterdir()), tags=TAG)
        done = subprocess.run(
            command("launch", client, proxy, lake, launches), check=True, stdout=subprocess.PIPE, text=True
        )
        failed = json.loads(done.stdout.splitlines()[-1])["failed"]
        with closing(sqlite3.connect(lake.data_dir / "lake.db")) as connection:
            rows = connection.execute("SELECT payload FROM jobs").fetchall()
        times = Counter(json.loads(payload)["parameters"]["number"] for (payload,) in rows)
        return {
            "started": len(times),
            "never started": launches - len(times),
            "started more than once": sum(count > 1 for count in times.values()),
            "reported failed": len(failed),
            "reported failed, but started": len(set(failed) & set(times)),
            "of the exchanges broken": proxy.faults.total(),
        }


def measure_kills(client: str, folder: Path, kills: int, seed: int) -> Figures:
    """Kill one client again and again while it uploads, then let it end, and return what came of it."""
    dice, files, done = random.Random(seed), len(list(folder.iterdir())), 0
    with lake_behind_proxy(0, seed) as (lake, proxy):
        for _ in range(kills):
            done += run_until(command("retry", client, proxy, lake, folder), proxy, dice.randint(1, 2 * files))
        subprocess.run(command("retry", client, proxy, lake, folder), check=True, stdout=subprocess.DEVNULL)
        figures = judge_upload(lake, folder, set())
        total = lake.client().get_datalake().list_data(tags=TAG)
        shutil.rmtree(f"{folder}.manifest", ignore_errors=True)
        kept = ("registered", "lost", "registered more than once", "objects without data")
        return {"kills": done, "data in the lake": len(list(total))} | {name: figures[name] for name in kept}


def run_until(arguments: Sequence[str], proxy: FaultProxy, exchanges: int) -> bool:
    """Run a command, kill it when it has made so many exchanges, and return whether it came to that."""
    enough, is_reached = proxy.exchanges + exchanges, threading.Event()

    def look(_request: bytes) -> None:
        if proxy.exchanges + 1 >= enough:
            is_reached.set()

    proxy.watch = look
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not is_reached.wait(0.05):
            pass
        process.kill()
    proxy.watch = None
    return is_reached.is_set()


def table(title: str, clients: Sequence[str], measure: Callable[[str], Figures]) -> None:
    """Print what came of the clients."""
    results = [measure(client) for client in clients]
    print(f"\n{title}\n\n| | {' | '.join(clients)} |\n|---|{'---|' * len(clients)}")
    for what in results[0]:
        print(f"| {what} | {' | '.join(f'{result[what]:,}' for result in results)} |", flush=True)


def compare(folder: Path, arguments: argparse.Namespace, seed: int) -> None:
    """Print the tables of one seed."""
    files, launches, kills, clients = arguments.files, arguments.launches, arguments.kills, arguments.clients

    def compare_at(share: float) -> None:
        broken = f"{share:.0%} of all exchanges broken, seed {seed}"
        if files:
            table(f"{files:,} files, {broken}", clients, lambda client: measure_upload(client, folder, share, seed))
        if launches:
            title = f"{launches} jobs launched, {broken}"
            table(title, clients, lambda client: measure_launch(client, folder, launches, share, seed))

    for share in arguments.shares:
        compare_at(share)
    if kills:
        title = f"{files:,} files, the process killed at {kills} moments and started again, seed {seed}"
        table(title, clients, lambda client: measure_kills(client, folder, kills, seed))


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--shares", type=float, nargs="*", default=[0.05, 0.2])
    parser.add_argument("--launches", type=int, default=200)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--clients", choices=CLIENTS, nargs="+", default=CLIENTS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    arguments = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name) / "photos"
        folder.mkdir()
        make_photos(folder, arguments.files)
        for seed in arguments.seeds:
            compare(folder, arguments, seed)


if __name__ == "__main__":
    main()
