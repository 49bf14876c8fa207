"""The README's commands set a checkout up, and say in one sentence when they cannot."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
NO_INDEX = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in a folder whose name is no plain word, without its environment."""
    folder = tmp_path / "a lake é"
    folder.mkdir()
    for name in ("dev.py", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    return folder


def _load(checkout: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("dev_of_checkout", checkout / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _install(checkout: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Set the checkout up with the Python that this environment was made from, as a user would."""
    python: str = getattr(sys, "_base_executable", sys.executable)
    plain = {"PATH": os.defpath, "HOME": "/nonexistent", "LANG": "C", **environment}
    command = [python, str(checkout / "dev.py"), "install"]
    return subprocess.run(command, cwd="/", env=plain, capture_output=True, text=True, check=False, timeout=60)


def _hide(folder: Path, *modules: str) -> str:
    """Make a folder that, on PYTHONPATH, takes modules away from a Python."""
    folder.mkdir()
    lines = [f"sys.modules[{module!r}] = None" for module in modules]
    (folder / "sitecustomize.py").write_text("\n".join(["import sys", *lines]))
    return str(folder)


def test_a_set_up_that_fails_says_one_sentence(checkout: Path) -> None:
    """An index without the packages ends at once, without a traceback and without what pip says beside."""
    done = _install(checkout, **NO_INDEX)
    assert done.returncode == 1
    assert done.stderr.startswith("dev.py: .venv cannot be set up: ")
    assert done.stderr.count("\n") == 1
    assert not (checkout / ".venv" / "installed.json").exists()


def test_a_python_without_pip_is_told_what_to_install(checkout: Path, tmp_path: Path) -> None:
    """Debian ships Python without both; the sentence names its package."""
    done = _install(checkout, PYTHONPATH=_hide(tmp_path / "hidden", "pip", "ensurepip"))
    assert done.returncode == 1
    assert "has neither pip nor ensurepip" in done.stderr
    assert "python3-pip" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("kind", ["half-made", "file", "dangling link"])
def test_an_environment_is_made_in_place_of_anything(
    checkout: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a broken set-up left is not built upon."""
    dev = _load(checkout)
    if kind == "file":
        dev.VENV.write_text("")
    elif kind == "dangling link":
        dev.VENV.symlink_to(checkout / "nowhere")
    else:
        dev.BIN.mkdir(parents=True)
        (dev.VENV / "left-over").touch()
    # The Python of the tests has no pip of its own.
    monkeypatch.setattr(dev.importlib.util, "find_spec", lambda _name: object())
    dev.make_environment()
    assert dev.python_runs()
    assert not (dev.VENV / "left-over").exists()


@pytest.mark.parametrize(
    ("change", "can"),
    [
        ({}, True),
        ({"pins": "others"}, True),
        ({"python": "2.7"}, False),
        ({"folder": "/elsewhere"}, False),
        (None, False),
    ],
)
def test_an_environment_is_brought_up_to_date_where_it_fits(
    checkout: Path, change: dict[str, str] | None, can: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other pins are installed into it; that of another Python, of another folder or half-made is made anew."""
    dev = _load(checkout)
    monkeypatch.setattr(dev.importlib.util, "find_spec", lambda _name: object())
    dev.make_environment()
    wanted = {"extra": "dev", "pins": "", "python": "3.11", "folder": str(checkout)}
    dev.STATE.write_text("{" if change is None else json.dumps(wanted | change))
    assert dev.can_build_on(dev.read_state(), wanted) is can


def test_an_environment_whose_python_is_gone_does_not_run(checkout: Path) -> None:
    """An upgrade of the system took the Python away that the environment links to."""
    dev = _load(checkout)
    dev.BIN.mkdir(parents=True)
    dev.PYTHON.symlink_to(checkout / "python3.9")
    assert not dev.python_runs()


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("ERROR: Could not find a version\nERROR: No matching distribution found for a==9", "No matching distribution"),
        (
            "error: no\n  cause: Because b==2 wants Python>=3.11.5\n   And because you require b==2.\n\nhint: no",
            "Because b==2 wants Python>=3.11.5 And because you require b==2.",
        ),
        ("error: Failed to copy `a`\n  cause: Failed to write\n  cause: No space left on device", "No space left"),
        (
            "WARNING: Retrying (Retry()) after connection broken by 'Error('no such name')': /simple/uv/\nERROR: No uv",
            "the package index cannot be reached: Error('no such name')",
        ),
        ("", "does not say why"),
    ],
)
def test_the_reason_is_what_the_installer_said_last(checkout: Path, output: str, reason: str) -> None:
    """pip, uv, a network that is not there, and silence."""
    said = _load(checkout).reason_of(output)
    assert reason in said
    assert "\n" not in said
    assert not said.startswith(("ERROR", "error"))


def test_a_benchmark_without_its_program_says_what_to_install() -> None:
    """On a machine without nginx; no traceback."""
    code = (
        "import runpy, shutil; shutil.which = lambda *_, **__: None\n"
        "runpy.run_path('benchmarks/waits.py', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["this benchmark needs nginx; Debian: apt-get install nginx-light"]
