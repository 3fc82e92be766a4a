"""How tests look at pages in a real browser: a server, a page once it is whole, and what went wrong on it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Browser, Page

DESKTOP, PHONE = {"width": 1300, "height": 900}, {"width": 390, "height": 844}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def opened(browser: Browser, address: str, size=DESKTOP, mode="light", touch=False) -> Iterator[tuple[Page, list[str]]]:
    """A page once it is loaded with its fonts, and the list of what went wrong on it up to now."""
    home = address.rsplit("/", 1)[0] + "/"
    context = browser.new_context(viewport=size, color_scheme=mode, has_touch=touch, is_mobile=touch)
    page, problems = context.new_page(), []
    page.on("request", lambda asked: None if asked.url.startswith((home, "data:")) else problems.append(asked.url))
    page.on("requestfailed", lambda failed: problems.append(f"failed: {failed.url}"))
    page.on("response", lambda got: problems.append(f"{got.status}: {got.url}") if got.status >= 400 else None)
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    try:
        page.goto(address, wait_until="load")
        page.evaluate("document.fonts.ready.then(() => true)")
        yield page, problems
    finally:
        context.close()


def bring_to_life(page: Page) -> None:
    """Start every dial of the page: each waits until it is near the screen."""
    for dial in page.locator(".widget").all():
        dial.scroll_into_view_if_needed()
        dial.locator("[data-ready]").wait_for()


def unfold(page: Page) -> None:
    """Open what is folded, and wait for the fonts of its formulas: before them a formula has another width."""
    page.evaluate("""async () => {
        document.querySelectorAll('details').forEach(fold => fold.open = true);
        await new Promise(requestAnimationFrame);
        await document.fonts.ready;
    }""")
