"""Progress of long work: passed to the caller, shown as a bar on a terminal, or logged periodically."""

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar

logger = logging.getLogger(__name__)

# Called with the number of finished items and of all items; never by two threads at a time.
Progress = Callable[[int, int], None]
# Work that finishes sooner shows no bar.
BAR_DELAY_SECONDS = 1.0
LOG_INTERVAL_SECONDS = 5.0
_T = TypeVar("_T")


@contextmanager
def progress_counter(what: str, total: int, progress: Progress | None = None) -> Iterator[Callable[[], None]]:
    """Yield a function that any thread calls when it has finished one more item.

    :param what: a word for the work.
    :param total: number of items.
    :param progress: called after each item; None: a bar (of tqdm, where it is installed) when standard error is a
        terminal, otherwise a log line every few seconds. If it raises, the error is logged, the callback is not called
        again, and the work continues.
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
                    # A failing callback must not fail the work.
                    logger.exception("%s: the progress callback failed, and is not called any more", what)
                    report = _ignore

        yield advance


def _ignore(_done: int, _total: int) -> None:
    """Replace a callback that failed."""


def track(items: Iterable[_T], total: int, progress: Progress | None = None, *, what: str = "data") -> Iterator[_T]:
    """Yield the items, for instance of ``datalake.iter_data()``; each counts as done when the next is requested.

    :param total: number of items.
    :param progress: as in uploads and downloads.
    :param what: a word for the work.
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
    """Logs a line every few seconds, and one at the end if it has logged any."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._last = time.monotonic()
        self._has_logged = False

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._last >= LOG_INTERVAL_SECONDS or (done == total and self._has_logged):
            logger.info("%s: %d of %d", self._what, done, total)
            self._last, self._has_logged = now, True
