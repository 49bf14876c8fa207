#!/usr/bin/env python3
"""Set up this checkout and run it: `python3 dev.py demo`, `python3 dev.py test`, `... check`, `... versions`.

Needs Python 3.11 or newer with pip, nothing else. Everything goes into `.venv` beside this file, with the versions
of constraints.txt; a second run finds it there and starts at once.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
PYTHON = BIN / "python"
# What the environment holds; it is written when a set-up has come to its end, and only then.
STATE = VENV / "installed.json"
# A package index that does not answer is given up after this long, twice: uv and pip would try for minutes.
ANSWER_SECONDS = 10
MAX_REASON = 500
# One process more than cores, for many tests wait for servers. The tests of one group (tests/conftest.py) share one.
DISTRIBUTED = ("--numprocesses", str((os.cpu_count() or 1) + 1), "--dist", "loadscope", "--no-loadscope-reorder")


class SetUpError(Exception):
    """`.venv` cannot be set up; the message says why in one sentence."""


def main() -> int:
    """Run one of the commands; the exit code is the command's own."""
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever runs an older one must be told
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        sys.exit(f"dev.py: this is Python {version}; Python 3.11 or newer is needed")
    parser = argparse.ArgumentParser(prog="dev.py", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="run the main job on an embedded lake: lake demo", add_help=False)
    commands.add_parser("test", help="run the tests, --quick a choice of them; arguments go to pytest", add_help=False)
    commands.add_parser(
        "versions", help="run the tests with every Airflow that is supported, or those that are named", add_help=False
    )
    commands.add_parser("check", help="formatter, linters, types")
    commands.add_parser("install", help="only set up .venv for development")
    arguments, rest = parser.parse_known_args()
    if rest and arguments.command not in {"demo", "test", "versions"}:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return COMMANDS[arguments.command](rest)
    except KeyboardInterrupt:
        return 130
    except (SetUpError, OSError) as error:
        sys.exit(f"dev.py: {VENV.name} cannot be set up: {error}")


def demo(rest: Sequence[str]) -> int:
    """Run `lake demo`; folders that are named relatively are found from where it is called."""
    install("server")
    return run(BIN / "lake", "demo", "--data-dir", ROOT / ".lake", *rest, folder=Path.cwd())


def test(rest: Sequence[str]) -> int:
    """Run the tests in several processes at once; `-n0` runs them in one."""
    install("dev")
    return run(PYTHON, "-m", "pytest", *DISTRIBUTED, *rest)


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
    """Bring `.venv` to the state that pyproject.toml and constraints.txt ask for, unless it is there already.

    :raises SetUpError: it cannot be.
    """
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    wanted = {"extra": extra, "pins": digest.hexdigest(), "python": version, "folder": str(ROOT)}
    state = read_state()
    is_sound = can_build_on(state, wanted)
    # What serves development serves the demo too.
    if is_sound and state["pins"] == wanted["pins"] and state["extra"] in {extra, "dev"}:
        return
    print(f"setting up {VENV.name} with the pinned versions (half a minute, once)", flush=True)
    if is_sound:
        STATE.unlink()
    else:
        make_environment()
    if not install_by_uv(extra):
        print("uv is not to be had here: pip installs, which takes longer", flush=True)
        install_by_pip()
        wanted["extra"] = "dev"
    STATE.write_text(json.dumps(wanted))


def read_state() -> dict[str, str]:
    """Return what the environment holds; nothing where no set-up came to its end."""
    try:
        state = json.loads(STATE.read_text())
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def can_build_on(state: dict[str, str], wanted: dict[str, str]) -> bool:
    """Whether `.venv` was set up to its end, for this Python and this folder (its programs name it), and still runs."""
    return all(state.get(name) == wanted[name] for name in ("python", "folder")) and python_runs()


def python_runs() -> bool:
    """Whether the environment's Python still starts, and is the one that its packages were installed for."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    try:
        shown = subprocess.run(
            [PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return False
    return shown.stdout.strip() == version


def make_environment() -> None:
    """Make `.venv` anew, in place of whatever has that name."""
    if VENV.is_symlink() or VENV.is_file():
        VENV.unlink()
    elif VENV.exists():
        shutil.rmtree(VENV)
    # Some systems ship venv without ensurepip: the pip that runs this Python installs into the new one.
    if importlib.util.find_spec("pip") is not None:
        venv.create(VENV, with_pip=False, symlinks=True)
    elif importlib.util.find_spec("ensurepip") is not None:
        try:
            venv.create(VENV, with_pip=True, symlinks=True)
        except subprocess.CalledProcessError as error:
            raise SetUpError(f"this Python's ensurepip cannot install pip (exit code {error.returncode})") from error
    else:
        raise SetUpError(f"{sys.executable} has neither pip nor ensurepip; Debian: apt-get install python3-pip")


def install_by_uv(extra: str) -> bool:
    """Install the checkout with an extra by uv, which is many times as fast as pip; whether there is a uv.

    :raises SetUpError: it is there, and cannot install.
    """
    uv = next(line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.startswith("uv=="))
    code, output = call(*pip(), "--only-binary", ":all:", "--no-deps", uv)
    if code and "No matching distribution" in output and "Retrying (" not in output:
        return False  # none for this kind of machine
    if code:
        raise SetUpError(reason_of(output))
    command: list[str | Path] = [BIN / "uv", "pip", "install", "--python", PYTHON, "--constraint", "constraints.txt"]
    no_cache: list[str | Path] = [] if cache_is_writable() else ["--no-cache"]
    code, output = call(*command, *no_cache, "--editable", f".[{extra}]")
    if code and "error sending request" in output:
        return False  # pip just came through: it knows of a mirror, a proxy or certificates that uv does not
    if code:
        raise SetUpError(reason_of(output))
    return True


def install_by_pip() -> None:
    """Install the checkout and all that is pinned by pip alone, which need not search for what goes together.

    :raises SetUpError: pip cannot.
    """
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    requirements = VENV / "requirements.txt"
    requirements.write_text("\n".join(pin for pin in pins if not pin.startswith("uv==")))
    code, output = call(*pip(), "--no-deps", "--requirement", requirements, "--editable", ".")
    if code:
        raise SetUpError(reason_of(output))


def pip() -> list[str | Path]:
    """Return how pip is called to install into `.venv`."""
    own = [PYTHON] if importlib.util.find_spec("pip") is None else [sys.executable]
    retries = ["--retries", "1", "--timeout", str(ANSWER_SECONDS)]
    return [*own, "-m", "pip", "--python", PYTHON, "--disable-pip-version-check", "install", "--no-input", *retries]


def cache_is_writable() -> bool:
    """Whether uv can keep what it downloads for another time."""
    # Path.expanduser() raises where a user has no home.
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    folder = Path(os.environ.get("UV_CACHE_DIR") or Path(home) / "uv").absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return os.access(folder, os.W_OK)


def call(*command: str | Path) -> tuple[int, str]:
    """Run an installer in this checkout; return its exit code and what it said."""
    environment = os.environ | {
        "PIP_USER": "0",
        "PIP_REQUIRE_VIRTUALENV": "0",
        "UV_HTTP_TIMEOUT": str(ANSWER_SECONDS),
        "UV_HTTP_RETRIES": "1",
        # The certificates that this machine trusts, as pip is told by its settings.
        "UV_SYSTEM_CERTS": "1",
        "UV_NO_PROGRESS": "1",
    }
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    return done.returncode, done.stdout.decode(errors="replace")


def reason_of(output: str) -> str:
    """Return why an installer failed, in one sentence of what it said."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    broken = [line for line in lines if "Retrying (" in line]
    # uv says "cause: " and goes on below it until a hint, pip says "ERROR: ".
    causes = " ".join(lines).partition("cause: ")[2].partition(" hint: ")[0].replace(" cause: ", ": ")
    if broken:
        reason = "the package index cannot be reached: " + re.sub(r".*broken by '|': /\S*$", "", broken[-1])
    elif causes:
        reason = causes
    else:
        errors = [line for line in lines if line.lower().startswith("error: ")]
        reason = (errors or lines or ["the installer does not say why"])[-1]
        reason = re.sub("^error: ", "", reason, flags=re.IGNORECASE)
    return reason if len(reason) <= MAX_REASON else f"{reason[:MAX_REASON]} …"


def run(*command: str | Path, folder: Path = ROOT) -> int:
    """Run a command in this checkout or another folder, with the environment's programs first on the path."""
    path = os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)])
    try:
        return subprocess.run(command, cwd=folder, env=os.environ | {"PATH": path}, check=False).returncode
    except KeyboardInterrupt:
        return 130


COMMANDS = {"demo": demo, "test": test, "versions": versions, "check": check, "install": install_only}

if __name__ == "__main__":
    sys.exit(main())
