"""A browser for tests: headless Chromium, which Debian's package installs."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

EXECUTABLE = shutil.which("chromium")
WHY_NO_BROWSER = "no browser here: chromium is missing (Debian: apt-get install chromium fonts-dejavu-core)"
PATIENCE_MS = 60_000
SIZE = {"width": 1280, "height": 860}


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start a browser."""
    with sync_playwright() as playwright:
        # Chromium's own sandbox needs more rights than containers give.
        browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_page(browser: Browser) -> Iterator[Page]:
    """Open an empty page that knows nothing of others; at the end, no script of what it showed may have failed."""
    complaints: list[str] = []
    page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]  # a plain dict of these keys
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(f"a dialog: {dialog.message}"))
    try:
        yield page
    finally:
        page.close()
    assert complaints == []


def take_picture(page: Page, folder: Path, name: str) -> None:
    """Keep what the page shows as ``NAME.png``: in a test's own folder, or where the docs keep their pictures.

    With the environment variable LAKE_PICTURES set to ``docs/images``, the tests renew the pictures of the docs.
    """
    page.screenshot(path=Path(os.environ.get("LAKE_PICTURES") or folder) / f"{name}.png")
