"""A disk of a few megabytes that only one process sees, made without more rights than an ordinary user has."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Root mounts in a namespace of mounts of its own; others need one of users around it.
_UNSHARE = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
_SCRIPT = 'mount -t tmpfs -o size="$1" none "$2" && shift 2 && exec "$@"'


def launcher(folder: Path, size: str) -> list[str]:
    """Return a command that mounts a disk on a folder and becomes its further arguments.

    :param size: as mount takes it, for example ``8m``.
    """
    return [*_UNSHARE, "sh", "-c", _SCRIPT, "sh", size, str(folder)]


def reason_why_not(folder: Path) -> str | None:
    """Return why no such disk can be made here; None where it can."""
    if shutil.which("unshare") is None:
        return "unshare is missing (Debian: util-linux)"
    result = subprocess.run([*launcher(folder, "1m"), "true"], capture_output=True, text=True, timeout=30, check=False)
    return None if result.returncode == 0 else f"this user may not mount: {result.stderr.strip()}"


def seen_by(pid: int, folder: Path) -> Path:
    """Return the path by which others reach a folder as a process sees it."""
    return Path(f"/proc/{pid}/root{folder}")


def inside(pid: int, *command: str) -> None:
    """Run a command that sees the disks of a process."""
    enter = ["nsenter", "--target", str(pid), "--mount", *([] if os.geteuid() == 0 else ["--user"])]
    subprocess.run([*enter, *command], check=True, timeout=60)


@contextmanager
def read_only(pid: int, folder: Path) -> Iterator[None]:
    """Let a process write nothing in a folder, as long as the block."""
    inside(pid, "mount", "--bind", str(folder), str(folder))
    try:
        inside(pid, "mount", "-o", "remount,bind,ro", str(folder))
        yield
    finally:
        inside(pid, "umount", str(folder))
