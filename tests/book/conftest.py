"""A browser, and the built book served to it.

Runs wherever Chromium is found: on the path (Debian's package) or Playwright's own. With SHATTERED_NO_SKIP=1 a machine
without one fails.
"""

import os
from collections.abc import Iterator

import pytest
from browsing import served
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Page, sync_playwright

from tools.browser import chromium
from tools.site import pages


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        try:
            started = chromium(playwright)
        except FileNotFoundError as error:
            report = pytest.fail if os.environ.get("SHATTERED_NO_SKIP") == "1" else pytest.skip
            report(str(error))
        yield started
        started.close()


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


@pytest.fixture(scope="session")
def soups(html) -> dict[str, BeautifulSoup]:
    """Every page, parsed."""
    return {page: BeautifulSoup((html / f"{page}.html").read_text(), "html.parser") for page in pages()}
