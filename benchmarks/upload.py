"""How fast do files become data? This client beside the published one, in one run, against a lake that costs nothing.

    python -m benchmarks.upload [--files 1000] [--delay-ms 20] [--video-mib 0] [--rounds 3]

Every round is a process of its own, first one client's, then the other's; of the rounds the median counts. Time and CPU
are those of ``upload_data`` with default arguments; memory is the peak of the process, less what it had before.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from benchmarks.canned_lake import TOKEN, canned_lake
from benchmarks.side_by_side import CLIENTS, published_datalake, report, table


def make_photos(folder: Path, count: int) -> list[Path]:
    """Make different JPEGs of about 19 kB, with EXIF."""
    paths = [folder / f"{number}.jpg" for number in range(count)]
    exif = Image.Exif()
    exif.update({0x0112: 6, 0x0132: "2024:05:06 07:08:09", 0x010F: "ACME"})
    for path in paths:
        Image.frombytes("RGB", (240, 168), os.urandom(240 * 168 * 3)).save(path, quality=55, exif=exif)
    return paths


def make_video(folder: Path, mib: int) -> list[Path]:
    """Make a file that passes for a video."""
    path = folder / "video.mp4"
    block = os.urandom(1 << 20)
    with path.open("wb") as file:
        for _ in range(mib):
            file.write(block)
    return [path]


def run(client: str, url: str, paths: list[str]) -> None:
    """Upload by one client, and print what it took."""
    if client == "published":
        published = published_datalake(url)
        report(lambda: published.upload_data(paths))
        return
    from airflow_provider_lake.client import Client  # noqa: PLC0415 - the other one is not to pay for it

    ours = Client(TOKEN, host=url).get_datalake()
    report(lambda: ours.upload_data(paths))


def measure(client: str, url: str, folder: Path) -> dict[str, float]:
    """Run one client in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.upload", "--run", client, url, str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def compare(title: str, folder: Path, delay_seconds: float, rounds: int, amount: float, unit: str) -> None:
    """Run both clients in turns and print a table."""
    with canned_lake(delay_seconds) as url:
        measured = [[measure(client, url, folder) for client in CLIENTS] for _ in range(rounds)]
    table(title, unit, amount, measured)


def main() -> None:
    """Compare, or run one client where the comparison says so."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--delay-ms", type=float, default=20)
    parser.add_argument("--video-mib", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--run", nargs=3, metavar=("CLIENT", "URL", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        client, url, folder = arguments.run
        run(client, url, sorted(map(str, Path(folder).iterdir())))
        return
    with TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.video_mib:
            make_video(folder, arguments.video_mib)
            compare(f"one video of {arguments.video_mib} MiB", folder, 0, arguments.rounds, arguments.video_mib, "MiB")
            return
        paths = make_photos(folder, arguments.files)
        size = statistics.mean(path.stat().st_size for path in paths)
        title = f"{len(paths)} JPEGs of {size / 1000:.0f} kB"
        compare(title, folder, 0, arguments.rounds, len(paths), "file")
        if arguments.delay_ms:
            late = f"{title}, every answer {arguments.delay_ms:.0f} ms later"
            compare(late, folder, arguments.delay_ms / 1000, arguments.rounds, len(paths), "file")


if __name__ == "__main__":
    main()
