"""What does a bad network do to uploads? This client beside the published one, through the same seeded faults.

    python -m benchmarks.faults [--files 1000] [--shares 0.05 0.2] [--seed 1]

Each client uploads the same files to an embedded lake of its own, through a proxy that breaks a share of all exchanges:
closed before forwarding, closed after the lake has acted, 503, 429 with Retry-After, answers cut off, stalls of 2 s;
calls of the API and of the storage alike. Then the lake itself is asked what it has.
"""

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from airflow_provider_lake.client import Client, NoDataError
from benchmarks.side_by_side import CLIENTS, silence_published
from benchmarks.upload import make_photos
from tests.fault_proxy import fault_proxy
from tests.lake_process import LakeProcess

TAG = "faults"


def run(client: str, url: str, token: str, folder: str) -> None:
    """Upload by one client, and print the names of the files that it reports as failed, and the seconds it took."""
    paths = sorted(map(str, Path(folder).iterdir()))
    started = time.monotonic()
    failed = {"ours": run_ours, "published": run_published}[client](url, token, paths)
    print(json.dumps({"failed": failed, "seconds": time.monotonic() - started}))


def run_ours(url: str, token: str, paths: list[str]) -> list[str]:
    """Upload by this client."""
    from airflow_provider_lake.client import ErrorManager  # noqa: PLC0415 - as below

    errors = ErrorManager()
    with Client(token, host=url) as client:
        datalake = client.get_datalake()
        datalake.upload_data(paths, tags=TAG, error_manager=errors)
    return [Path(error.path).name for error in errors.errors]


def run_published(url: str, token: str, paths: list[str]) -> list[str]:
    """Upload by the published client; what meets a fault before the first file is tried again."""
    silence_published()
    import picsellia  # noqa: PLC0415 - reads the environment when it is imported
    from picsellia.services.error_manager import ErrorManager  # noqa: PLC0415

    errors = ErrorManager()
    for _ in range(10):
        try:
            datalake = picsellia.Client(token, host=url).get_datalake()
            tag = datalake.get_or_create_data_tag(TAG)
            break
        except Exception as error:  # noqa: BLE001 - whatever it raises
            print(error, file=sys.stderr)
    try:
        datalake.upload_data(paths, tags=[tag], error_manager=errors)
    except Exception as error:  # noqa: BLE001 - whatever it raises
        print(error, file=sys.stderr)
    return [Path(str(error.path)).name for error in errors.errors if hasattr(error, "path")]


def judge(lake: LakeProcess, names: set[str], failed: list[str]) -> dict[str, int]:
    """Ask a lake what it has, and count what is wrong with it."""
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
        "registered twice": sum(count > 1 for count in times.values()),
        "reported failed": len(set(failed)),
        "lost and not reported": len(names - set(times) - set(failed)),
        "objects without data": len(stored - {each.object_name for each in data}),
    }


def measure(client: str, folder: Path, share: float, seed: int) -> dict[str, float]:
    """Let one client upload to a lake of its own, and return what came of it."""
    names = {path.name for path in folder.iterdir()}
    with TemporaryDirectory() as home, LakeProcess(Path(home) / "lake") as lake:
        with fault_proxy(lake.url, share, seed) as proxy:
            command = [sys.executable, "-m", "benchmarks.faults", "--run", client, proxy.url, lake.token, str(folder)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        told = json.loads(done.stdout.splitlines()[-1])
        return judge(lake, names, told["failed"]) | {
            "exchanges": proxy.exchanges,
            "of them broken": proxy.faults.total(),
            "seconds": round(told["seconds"]),
        }


def main() -> None:
    """Compare, or run one client where the comparison says so."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.05, 0.2])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--run", nargs=4, metavar=("CLIENT", "URL", "TOKEN", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        run(*arguments.run)
        return
    with TemporaryDirectory() as name:
        folder = Path(name)
        make_photos(folder, arguments.files)
        for share in arguments.shares:
            results = [measure(client, folder, share, arguments.seed) for client in CLIENTS]
            print(f"\n{arguments.files} files, {share:.0%} of all exchanges broken, seed {arguments.seed}\n")
            print(f"| | {' | '.join(CLIENTS)} |\n|---|---|---|")
            for what in results[0]:
                print(f"| {what} | {' | '.join(f'{result[what]:,}' for result in results)} |")


if __name__ == "__main__":
    main()
