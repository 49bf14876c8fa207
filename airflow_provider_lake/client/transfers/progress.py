"""How far long work has come: told to the caller, shown as a bar on a terminal, or logged now and then."""

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar

logger = logging.getLogger(__name__)

# Told the number of things done, and of all; never by two threads at a time.
Progress = Callable[[int, int], None]
# Work that is done sooner is not worth a bar.
BAR_DELAY_SECONDS = 1.0
LOG_INTERVAL_SECONDS = 5.0
_T = TypeVar("_T")


@contextmanager
def progress_counter(what: str, total: int, progress: Progress | None = None) -> Iterator[Callable[[], None]]:
    """Hand out what any thread calls when one more thing is done.

    :param what: the work, in a word.
    :param total: number of things to do.
    :param progress: told after each; None: a bar (of tqdm, where it is installed) when standard error is a terminal,
        otherwise a log line every few seconds. One that raises is logged and not called again; the work goes on.
    """
    lock, done = threading.Lock(), 0
    with _shown(what, total) if progress is None else nullcontext(progress) as report:

        def advance() -> None:
            nonlocal done, report
            with lock:
                done += 1
                try:
                    report(done, total)
                except Exception:
                    # What only looks on must not undo the work.
                    logger.exception("%s: the progress callback failed, and is not called any more", what)
                    report = _ignore

        yield advance


def _ignore(_done: int, _total: int) -> None:
    """Take the place of a callback that fails."""


def track(items: Iterable[_T], total: int, progress: Progress | None = None, *, what: str = "data") -> Iterator[_T]:
    """Yield the items, of ``datalake.iter_data()`` for instance; one is done when the next is asked for.

    :param total: number of items.
    :param progress: as in uploads and downloads.
    :param what: the work, in a word.
    """
    with progress_counter(what, total, progress) as advance:
        for item in items:
            yield item
            advance()


def _shown(what: str, total: int) -> AbstractContextManager[Progress]:
    # Standard error is None in some daemons.
    tqdm = _find_tqdm() if sys.stderr and sys.stderr.isatty() else None
    return nullcontext(_LogLines(what)) if tqdm is None else _bar(tqdm, what, total)


def _find_tqdm() -> Any:
    try:
        from tqdm import tqdm  # type: ignore[import-untyped]  # noqa: PLC0415 - optional; it has no types
    except ImportError:
        return None
    return tqdm


@contextmanager
def _bar(tqdm: Any, what: str, total: int) -> Iterator[Progress]:
    with tqdm(total=total, desc=what, delay=BAR_DELAY_SECONDS) as bar:
        yield lambda done, _total: bar.update(done - bar.n)


class _LogLines:
    """Logs a line when the last is long enough ago, and at the end of work that had one."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._last = time.monotonic()
        self._has_logged = False

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._last >= LOG_INTERVAL_SECONDS or (done == total and self._has_logged):
            logger.info("%s: %d of %d", self._what, done, total)
            self._last, self._has_logged = now, True
