#!/usr/bin/env python3
"""Set up this checkout and run it: `python3 dev.py demo`, `python3 dev.py test`, `... check`, `... versions`.

Needs Python 3.11 or newer with pip, nothing else. Everything goes into `.venv` beside this file, with the versions
of constraints.txt; a second run finds it there and starts at once.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"


def main() -> int:
    """Run one of the commands; the exit code is the command's own."""
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever runs an older one must be told
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        sys.exit(f"dev.py: this is Python {version}; Python 3.11 or newer is needed")
    parser = argparse.ArgumentParser(prog="dev.py", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="run the main job on an embedded lake: lake demo", add_help=False)
    commands.add_parser("test", help="run the tests; arguments go to pytest", add_help=False)
    commands.add_parser(
        "versions", help="run the tests with every Airflow that is supported, or those that are named", add_help=False
    )
    commands.add_parser("check", help="formatter, linters, types")
    commands.add_parser("install", help="only set up .venv for development")
    arguments, rest = parser.parse_known_args()
    if rest and arguments.command not in {"demo", "test", "versions"}:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    return COMMANDS[arguments.command](rest)


def demo(rest: Sequence[str]) -> int:
    """Run `lake demo`."""
    install("server")
    return run(BIN / "lake", "demo", *rest)


def test(rest: Sequence[str]) -> int:
    """Run the tests."""
    install("dev")
    return run(BIN / "python", "-m", "pytest", *rest)


def versions(rest: Sequence[str]) -> int:
    """Run the tests with each supported Airflow, in environments of their own."""
    install("dev")
    return run(BIN / "python", "-m", "tests.versions", *rest)


def check(_rest: Sequence[str]) -> int:
    """Run formatter, linters and type checker; all of them, whatever the first one says."""
    install("dev")
    codes = [
        run(BIN / "ruff", "format", "--check", "."),
        run(BIN / "ruff", "check", "."),
        run(BIN / "mypy"),
        # What ruff has no rule for; of little weight are things that ruff asks a reason for in its place.
        run(BIN / "bandit", "--quiet", "--severity-level", "medium", "--recursive", "airflow_provider_lake"),
    ]
    return max(codes)


def install_only(_rest: Sequence[str]) -> int:
    """Set up `.venv` for development."""
    install("dev")
    return 0


def install(extra: str) -> None:
    """Bring `.venv` to the state that pyproject.toml and constraints.txt ask for, unless it is there already."""
    wanted = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt"):
        wanted.update((ROOT / name).read_bytes())
    # What serves development serves the demo too.
    stamps = {name: VENV / f"installed-{name}" for name in {extra, "dev"}}
    if any(stamp.exists() and stamp.read_text() == wanted.hexdigest() for stamp in stamps.values()):
        return
    print(f"setting up {VENV.name} with the pinned versions (about a minute, once)", flush=True)
    if not (BIN / "python").exists():
        # Some systems ship venv without ensurepip: the pip that runs this Python installs into the new one.
        venv.create(VENV, with_pip=False, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", str(BIN / "python"), "--disable-pip-version-check"]
    package = f"{ROOT}[{extra}]"
    code = run(*pip, "install", "--quiet", "--constraint", ROOT / "constraints.txt", "--editable", package)
    if code:
        sys.exit(f"dev.py: pip could not install the dependencies (exit code {code})")
    stamps[extra].write_text(wanted.hexdigest())


def run(*command: str | Path) -> int:
    """Run a command in this checkout, with the environment's programs first on the path."""
    path = os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)])
    try:
        return subprocess.run(command, cwd=ROOT, env=os.environ | {"PATH": path}, check=False).returncode
    except KeyboardInterrupt:
        return 130


COMMANDS = {"demo": demo, "test": test, "versions": versions, "check": check, "install": install_only}

if __name__ == "__main__":
    sys.exit(main())
