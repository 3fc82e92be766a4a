"""A browser, and the built book served to it.

Runs wherever Chromium is found: on the path (Debian's package) or Playwright's own. With SHATTERED_NO_SKIP=1 a machine
without one fails.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import served
from playwright.sync_api import Browser, Page, sync_playwright


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        program = shutil.which("chromium") or (own if Path(own).exists() else None)
        if program is None:
            report = pytest.fail if os.environ.get("SHATTERED_NO_SKIP") == "1" else pytest.skip
            report("No Chromium: install Debian's package chromium, or run `playwright install chromium`.")
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        chromium = playwright.chromium.launch(executable_path=program, args=options)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def site(html) -> Iterator[str]:
    with served(html) as address:
        yield address


@pytest.fixture(scope="module")
def blank(browser: Browser) -> Iterator[Page]:
    """A page with nothing on it, to compute in."""
    page = browser.new_page()
    yield page
    page.close()
