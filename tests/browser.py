"""A real browser to look at reports with: the machine's Chromium or Chrome, or else Playwright's own.

``scripts/install_browser.sh`` installs one; ``make test`` calls it.
"""

import contextlib
import pathlib
import shutil
from collections.abc import Iterator

from playwright.sync_api import Browser, Page, sync_playwright

# A browser that is started for a test has nothing to ask of a network.
_ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


@contextlib.contextmanager
def started() -> Iterator[Browser]:
    """A browser without a window."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=next(filter(None, found), None), args=_ARGUMENTS)
        yield browser
        browser.close()


class Visit:
    """A page that was opened, and what went wrong on it.

    Args:
      browser: that opens it.
      file: the page.
      width, height: of the window, in pixels.
    """

    def __init__(self, browser: Browser, file: pathlib.Path, width: int = 1280, height: int = 900):
        self.page: Page = browser.new_page(viewport={"width": width, "height": height})
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.page.on("console", self._note)
        self.page.on("request", self._check)
        self.page.goto(file.absolute().as_uri())
        self.page.wait_for_function("document.querySelectorAll('.chart .main-svg').length > 0")

    def _note(self, message) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text}")

    def _check(self, request) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.problems.append(f"asked for {request.url}")
