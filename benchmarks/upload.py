"""How fast do files become data? This client beside the published one, in one run, against a lake that costs nothing.

    python -m benchmarks.upload [--files 1000] [--delay-ms 20] [--video-mib 0] [--rounds 3]

Every round is a process of its own, first one client's, then the other's; of the rounds the median counts. Time and CPU
are those of ``upload_data`` with default arguments; memory is the peak of the process, less what it had before.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from benchmarks.canned_lake import CONNECTOR, TOKEN, Answers, canned_lake
from benchmarks.side_by_side import CLIENTS, published_datalake, report, table
from benchmarks.sink import sink

PART_MIB = 25


def make_photos(folder: Path, count: int) -> list[Path]:
    """Make different JPEGs of about 19 kB, with EXIF."""
    paths = [folder / f"{number}.jpg" for number in range(count)]
    exif = Image.Exif()
    exif.update({0x0112: 6, 0x0132: "2024:05:06 07:08:09", 0x010F: "ACME"})
    for path in paths:
        Image.frombytes("RGB", (240, 168), os.urandom(240 * 168 * 3)).save(path, quality=55, exif=exif)
    return paths


def make_video(folder: Path, mib: int) -> str:
    """Make a file that passes for a video, and return the MD5 of each of its parts: they are all the same.

    :param mib: its size, in whole parts of 25 MiB.
    """
    block = os.urandom(PART_MIB << 20)
    with (folder / "video.mp4").open("wb") as file:
        for _ in range(mib // PART_MIB):
            file.write(block)
    return hashlib.md5(block, usedforsecurity=False).hexdigest()


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


def compare_videos(folder: Path, mib: int, rounds: int) -> None:
    """Compare the upload of one video, to a storage that gives no digests and to one that does."""
    md5 = make_video(folder, mib)
    for etag, kind in (("e", "no MD5"), (md5, "MD5s")):
        with sink(etag) as url:
            part = {f"/api/object-storage/{CONNECTOR}/generate_part_presigned_url$": (200, {"url": url})}
            title = f"one video of {mib} MiB, the storage gives {kind}"
            compare(title, folder, 0, rounds, mib, "MiB", part)


def compare(
    title: str, folder: Path, delay_seconds: float, rounds: int, amount: float, unit: str, more: Answers | None = None
) -> None:
    """Run both clients in turns and print a table."""
    with canned_lake(delay_seconds, more) as url:
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
            compare_videos(folder, arguments.video_mib // PART_MIB * PART_MIB, arguments.rounds)
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
