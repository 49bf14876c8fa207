"""Run tests with each Airflow that is supported, in a fresh environment of its own, and show what became of them.

The unit tests run in that environment. Beside them its scheduler, dag-processor, triggerer and API server are started
for those end-to-end tests that hold with every Airflow; the tests themselves and the lake run from this environment.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.e2e.airflow_stack import PYTHON_VARIABLE
from tests.versions.environment import (
    PINS,
    RELEASES,
    ROOT,
    InstallError,
    Release,
    build_wheel,
    make_environment,
    write_pins,
)

TAIL_LINES = 60


@dataclass(frozen=True)
class Outcome:
    """What became of one run of tests.

    :param passed: whether everything went well.
    :param text: what to show of it.
    """

    passed: bool
    text: str


def main() -> int:
    """Run the tests with the releases that the command line names; the exit code is 1 if any failed."""
    arguments = _parser().parse_args()
    releases = arguments.release or RELEASES
    with ThreadPoolExecutor() as pool:
        installed = list(pool.map(partial(_install, wheel=build_wheel(), arguments=arguments), releases))
    rows = []
    for release, outcome in zip(releases, installed, strict=True):
        rows.append((release.version, outcome, *_test(release, outcome, arguments)))
        print(_table(rows), flush=True)
    return 0 if all(outcome.passed for _version, *outcomes in rows for outcome in outcomes) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dev.py versions", description=__doc__, allow_abbrev=False)
    parser.add_argument("release", nargs="*", type=_release, metavar="VERSION", help="versions of Airflow; none: all")
    parser.add_argument("--python", default=sys.executable, help="interpreter of the environments (this one)")
    parser.add_argument("--unit", action="store_true", help="run only the unit tests")
    parser.add_argument("--refresh", action="store_true", help="install the newest of everything, and pin that")
    return parser


def _release(version: str) -> Release:
    for release in RELEASES:
        if release.version == version:
            return release
    raise argparse.ArgumentTypeError(f"{version!r} is none of {', '.join(release.version for release in RELEASES)}")


def _install(release: Release, wheel: Path, arguments: argparse.Namespace) -> Outcome:
    """Make the environment of a release."""
    started = time.monotonic()
    try:
        make_environment(release, wheel, arguments.python, pinned=not arguments.refresh)
    except InstallError as error:
        return Outcome(passed=False, text=str(error))
    if arguments.refresh and release.pins.parent == PINS:
        write_pins(release)
    return Outcome(passed=True, text=f"in {time.monotonic() - started:.0f}s")


def _test(release: Release, installed: Outcome, arguments: argparse.Namespace) -> tuple[Outcome, Outcome]:
    """Run the tests of a release, both kinds at once: one computes while the other waits for Airflow."""
    skipped = Outcome(passed=True, text="not run")
    if not installed.passed:
        return skipped, skipped
    without_lake = [] if release.runs_lake else ["--ignore=tests/unit/server", "-m", "not server"]
    with ThreadPoolExecutor() as pool:
        unit = pool.submit(_pytest, release.python, release, "unit", "tests/unit", *without_lake)
        if arguments.unit:
            return unit.result(), skipped
        dags = pool.submit(_pytest, sys.executable, release, "dags", "tests/e2e", "-m", "every_airflow")
        return unit.result(), dags.result()


def _pytest(python: str | Path, release: Release, name: str, *arguments: str) -> Outcome:
    """Run tests with their output in a file; show what they skip and why, and its end if they fail."""
    log = release.folder / f"{name}.log"
    # Airflow writes its settings into its home: not into the user's, which another version may read.
    environment = os.environ | {PYTHON_VARIABLE: str(release.python), "AIRFLOW_HOME": str(release.folder / "airflow")}
    options = ["-q", "-p", "no:cacheprovider", f"--basetemp={release.folder / name}"]
    command = [python, "-m", "pytest", *options, *arguments]
    with log.open("wb") as output:
        code = subprocess.run(command, cwd=ROOT, env=environment, stdout=output, stderr=output, check=False).returncode
    lines = log.read_text(errors="replace").splitlines()
    for line in lines:
        if line.startswith("SKIPPED"):
            print(f"Airflow {release.version}, {name}: {line}", flush=True)
    if code:
        print(f"Airflow {release.version}, {name} (all of it: {log})", *lines[-TAIL_LINES:], sep="\n", flush=True)
    return Outcome(passed=code == 0, text=lines[-1] if lines else f"exit code {code}")


def _table(rows: Sequence[tuple[str, Outcome, Outcome, Outcome]]) -> str:
    lines = [["Airflow", "installed", "unit tests", "real DAG runs"]]
    lines += [[version, *(outcome.text for outcome in outcomes)] for version, *outcomes in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


if __name__ == "__main__":
    sys.exit(main())
