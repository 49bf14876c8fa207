"""How far long work has come, and who is told."""

import io
import logging
import os
import pty
import subprocess
import sys
import termios
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr

import pytest

from airflow_provider_lake.client import track
from airflow_provider_lake.client.transfers import progress
from airflow_provider_lake.client.transfers.progress import progress_counter

WORK_AT_A_TERMINAL = """
from airflow_provider_lake.client.transfers import progress
progress.BAR_DELAY_SECONDS = 0
with progress.progress_counter("upload", 4) as advance:
    for _ in range(4):
        advance()
"""


class Terminal(io.StringIO):
    """A standard error that somebody watches."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_a_caller_is_told_of_each() -> None:
    """By one thread at a time, counting up; then nothing else is shown."""
    told: list[tuple[int, int]] = []
    with (
        redirect_stderr(Terminal()) as terminal,
        progress_counter("work", 500, lambda done, total: told.append((done, total))) as advance,
        ThreadPoolExecutor(16) as pool,
    ):
        for _ in range(500):
            pool.submit(advance)

    assert told == [(number, 500) for number in range(1, 501)]
    assert terminal.getvalue() == ""


def test_a_terminal_shows_a_bar() -> None:
    """It names the work and ends full; a process of its own, because tqdm looks at its settings once."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    environment = {name: value for name, value in os.environ.items() if name != "TQDM_DISABLE"}
    subprocess.run([sys.executable, "-c", WORK_AT_A_TERMINAL], stderr=theirs, env=environment, check=True)
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)

    assert "upload: 100%" in shown
    assert "4/4" in shown


def test_without_tqdm_a_terminal_gets_log_lines(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The bar is an extra; its absence is no error."""
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(progress, "LOG_INTERVAL_SECONDS", 0)
    caplog.set_level(logging.INFO, progress.__name__)
    with redirect_stderr(Terminal()) as terminal, progress_counter("upload", 2) as advance:
        advance()

    assert caplog.messages == ["upload: 1 of 2"]
    assert terminal.getvalue() == ""


def test_long_work_is_logged_now_and_then(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A line when the last is five seconds ago, and one at the end."""
    moments = iter([0.0, 2.0, 5.1, 9.0, 10.2, 10.3])
    monkeypatch.setattr(time, "monotonic", lambda: next(moments))
    caplog.set_level(logging.INFO, progress.__name__)
    with redirect_stderr(io.StringIO()), progress_counter("download", 5) as advance:
        for _ in range(5):
            advance()

    assert caplog.messages == ["download: 2 of 5", "download: 4 of 5", "download: 5 of 5"]


@pytest.mark.parametrize("stderr", [io.StringIO(), Terminal()])
def test_short_work_is_silent(stderr: io.StringIO, caplog: pytest.LogCaptureFixture) -> None:
    """What is done at once is neither shown nor logged."""
    caplog.set_level(logging.INFO)
    with redirect_stderr(stderr):
        assert list(track(range(100), 100)) == list(range(100))
    assert caplog.messages == []
    assert stderr.getvalue() == ""


def test_what_is_iterated_is_counted() -> None:
    """An item is done when the next one is asked for."""
    told: list[tuple[int, int]] = []
    items = track(iter("abc"), 3, lambda done, total: told.append((done, total)))
    assert next(items) == "a"
    assert told == []
    assert list(items) == ["b", "c"]
    assert told == [(1, 3), (2, 3), (3, 3)]
