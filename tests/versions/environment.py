"""Fresh environments, each with one Airflow and the wheel of this checkout."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".versions"
PINS = Path(__file__).resolve().parent


class InstallError(Exception):
    """An environment could not be made; the message says which."""


@dataclass(frozen=True)
class Release:
    """An Airflow that is supported.

    :param version: its version.
    :param pins: file of the exact versions that are installed with it.
    :param bounds: what it must not be installed with, though it says that it may; and what else belongs to it.
    :param runs_lake: whether an embedded lake can live in its environment.
    """

    version: str
    pins: Path
    bounds: tuple[str, ...] = ()
    runs_lake: bool = True

    @property
    def folder(self) -> Path:
        """Folder of its environment."""
        return HOME / self.version

    @property
    def python(self) -> Path:
        """Interpreter of its environment."""
        return self.folder / "bin" / "python"


RELEASES = (
    # Newer FastAPIs have it commit after the answer: it ends tasks then that it has not yet written down as started.
    # Its connection form shows a hook's extra fields only with wtforms. It brings SQLAlchemy 1.4; the lake needs 2.
    # Its own constraints have the universal-pathlib of its time, and object storage lists differently with newer ones.
    Release(
        "3.0.6",
        PINS / "airflow-3.0.6.txt",
        bounds=("fastapi<0.118", "wtforms", "universal-pathlib<0.3"),
        runs_lake=False,
    ),
    Release("3.1.8", PINS / "airflow-3.1.8.txt"),
    # With either newer one its dag-processor dies.
    Release("3.2.2", PINS / "airflow-3.2.2.txt", bounds=("fastapi<0.137", "svcs<26")),
    Release("3.3.2", ROOT / "constraints.txt"),
)


def build_wheel() -> Path:
    """Build the wheel of this checkout, as users get it."""
    folder = HOME / "wheel"
    shutil.rmtree(folder, ignore_errors=True)
    if _run(_uv(), "build", "--quiet", "--wheel", "--out-dir", folder, ROOT):
        _pip("wheel", "--no-deps", "--wheel-dir", folder, ROOT)
    [wheel] = folder.glob("*.whl")
    return wheel


def make_environment(release: Release, wheel: Path, python: str, *, pinned: bool = True) -> None:
    """Make the environment of a release anew.

    :param python: interpreter that it is made for.
    :param pinned: install the exact versions of the release's pins, else the newest within its bounds.
    :raises InstallError: something cannot be installed.
    """
    shutil.rmtree(release.folder, ignore_errors=True)
    if _run(python, "-m", "venv", "--without-pip", release.folder):
        raise InstallError(f"{python} cannot make an environment")
    extras = "server,unit" if release.runs_lake else "unit"
    wanted = [f"{wheel}[{extras}]", f"apache-airflow=={release.version}", *release.bounds]
    wanted += ["--constraint", str(release.pins)] if pinned else []
    if _run(_uv(), "pip", "install", "--quiet", "--python", release.python, *wanted):
        print("uv could not install this; pip tries", flush=True)
        _pip("--python", release.python, "install", "--quiet", *wanted)


def write_pins(release: Release) -> None:
    """Keep the exact versions of a release's environment."""
    listed = subprocess.run(
        [_uv(), "pip", "freeze", "--quiet", "--python", release.python], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    lines = [line for line in listed if "==" in line]
    head = (
        f"# What Airflow {release.version} is tested with; refresh: python3 dev.py versions --refresh {release.version}"
    )
    release.pins.write_text("\n".join([head, *lines]) + "\n")


def _uv() -> str:
    return str(Path(sys.executable).parent / "uv")


def _pip(*arguments: str | Path) -> None:
    """Run the pip of the Python that this environment, which has none, was made from.

    :raises InstallError: it failed.
    """
    # mypy does not know the attribute that venv itself goes by.
    base: str = getattr(sys, "_base_executable", sys.executable)
    if code := _run(base, "-m", "pip", "--disable-pip-version-check", *arguments):
        raise InstallError(f"pip failed with exit code {code}")


def _run(*command: str | Path) -> int:
    return subprocess.run(command, cwd=ROOT, check=False).returncode
