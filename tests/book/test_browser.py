"""Pages in a real browser: what only a browser does, and that it asks no other machine for anything.

Runs wherever Chromium is found: on the path (Debian's package) or Playwright's own. With SHATTERED_NO_SKIP=1 a machine
without one fails.
"""

import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHAPTER = "theorem-1"
PAGES = ["index", "one-sitting", CHAPTER, "package"]
DESKTOP, PHONE = {"width": 1300, "height": 900}, {"width": 390, "height": 844}
PROSE = "() => { const a = document.querySelector('article').cloneNode(true);"
PROSE += " a.querySelectorAll('pre, code, mjx-container').forEach(e => e.remove()); return a.textContent; }"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


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


@contextmanager
def opened(browser: Browser, address: str, size=DESKTOP, mode="light") -> Iterator[tuple[Page, list[str]]]:
    """A page once it is loaded and its formulas are set, and the list of what went wrong on it up to now."""
    home = address.rsplit("/", 1)[0] + "/"
    context = browser.new_context(viewport=size, color_scheme=mode)
    page, problems = context.new_page(), []
    page.on("request", lambda asked: None if asked.url.startswith((home, "data:")) else problems.append(asked.url))
    page.on("requestfailed", lambda failed: problems.append(f"failed: {failed.url}"))
    page.on("response", lambda got: problems.append(f"{got.status}: {got.url}") if got.status >= 400 else None)
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    try:
        page.goto(address, wait_until="load")
        page.evaluate("async () => { if (window.MathJax?.startup) await window.MathJax.startup.promise; }")
        yield page, problems
    finally:
        context.close()


def unfold(page: Page) -> None:
    """Open what is folded, and wait for the fonts of its formulas: before them a formula has another width."""
    page.evaluate("""async () => {
        document.querySelectorAll('details').forEach(fold => fold.open = true);
        await new Promise(requestAnimationFrame);
        await document.fonts.ready;
    }""")


@pytest.mark.parametrize("name", PAGES)
def test_page_is_sound_and_asks_no_other_machine(browser, site, name):
    with opened(browser, f"{site}/{name}.html") as (page, problems):
        page.wait_for_load_state("networkidle")
        assert problems == []


@pytest.mark.parametrize("name", PAGES)
def test_mathematics_is_rendered(browser, site, name):
    with opened(browser, f"{site}/{name}.html") as (page, _):
        formulas = page.locator("article .math").count()
        assert page.locator("article .math mjx-container").count() >= formulas
        assert formulas > 0 or name != CHAPTER
        assert page.locator("mjx-merror, [data-mjx-error]").count() == 0
        assert re.findall(r"\\[(\[]|\$\$|\\begin", page.evaluate(PROSE)) == []


def test_proofs_open(browser, site):
    with opened(browser, f"{site}/{CHAPTER}.html") as (page, _):
        proof = page.locator("article details.sd-dropdown").first
        body = proof.locator(".sd-summary-content").first
        assert not body.is_visible()
        proof.locator("summary").first.click()
        assert body.is_visible()
        assert body.inner_text().strip()


def test_solutions_open(browser, site):
    with opened(browser, f"{site}/{CHAPTER}.html") as (page, _):
        solution = page.locator("article .solution.dropdown").first
        text = solution.locator("section p, section .math").first
        assert not text.is_visible()
        solution.locator("button.toggle-button").click()
        text.wait_for(state="visible")


@pytest.mark.parametrize("name", PAGES)
def test_phone_shows_all_without_sideways_scrolling(browser, site, name):
    with opened(browser, f"{site}/{name}.html", size=PHONE) as (page, _):
        unfold(page)
        widest = page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)")
        assert widest <= PHONE["width"]


def test_captions_of_wide_tables_are_seen_on_a_phone(browser, site):
    with opened(browser, f"{site}/very-deep.html", size=PHONE) as (page, _):
        right = page.evaluate(
            "[...document.querySelectorAll('caption')].map(each => each.getBoundingClientRect().right)"
        )
        wide = page.evaluate(
            "[...document.querySelectorAll('table')].filter(each => each.clientWidth > innerWidth).length"
        )
        assert wide > 0
        assert max(right) <= PHONE["width"]


def test_long_formula_in_a_sentence_can_be_scrolled(browser, site):
    with opened(browser, f"{site}/{CHAPTER}.html", size=PHONE) as (page, _):
        unfold(page)
        wide = page.evaluate(
            "[...document.querySelectorAll('span.math')]"
            ".filter(formula => formula.clientWidth && formula.scrollWidth > formula.clientWidth + 1)"
            ".map(formula => getComputedStyle(formula).overflowX)"
        )
        assert set(wide) == {"auto"}, "the chapter has formulas that are wider than a telephone"
        assert len(wide) < 100, "what no one sees must not make a short formula scroll"


def test_no_line_begins_with_the_mark_after_a_formula(browser, site):
    with opened(browser, f"{site}/{CHAPTER}.html", size=PHONE) as (page, _):
        unfold(page)
        left_of_formula = """[...document.querySelectorAll('span.math')].filter(formula => {
            const next = formula.nextSibling;
            if (!/^[,.;:]/.test(next?.data)) return false;
            const mark = document.createRange();
            mark.setStart(next, 0);
            mark.setEnd(next, 1);
            return mark.getBoundingClientRect().left < formula.getBoundingClientRect().left;
        }).length"""
        assert page.evaluate(left_of_formula) == 0


@pytest.mark.parametrize("name", ["index", "one-sitting", CHAPTER])
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_figures_are_seen(browser, site, name, mode):
    """In dark mode too: on white paper, in their own colours, and drawings as negatives on the page itself."""
    with opened(browser, f"{site}/{name}.html", mode=mode) as (page, _):
        assert page.evaluate("document.documentElement.dataset.theme") == mode
        figures = page.locator("article figure img")
        assert figures.count() > 0
        for figure in figures.all():
            figure.scroll_into_view_if_needed()
            figure.evaluate("image => image.decode()")
            assert figure.evaluate("image => image.naturalWidth") > 0
            assert figure.bounding_box()["width"] > 100
            style = figure.evaluate(
                "image => { const s = getComputedStyle(image); return [s.filter, s.backgroundColor]; }"
            )
            negative, card = ["invert(0.93) hue-rotate(180deg)", "rgba(0, 0, 0, 0)"], ["none", "rgb(255, 255, 255)"]
            dark = negative if figure.evaluate("image => image.classList.contains('drawing')") else card
            assert mode == "light" or style == dark


def test_start_page_opens_with_its_picture(browser, site):
    with opened(browser, f"{site}/index.html") as (page, _):
        picture = page.locator("article figure").first
        picture.locator("img").evaluate("image => image.decode()")
        box = picture.locator("img").bounding_box()
        assert box["y"] + box["height"] <= DESKTOP["height"]
        assert page.locator("article .cell_input").count() == 0
        assert picture.evaluate("picture => picture.querySelector('figcaption').innerText.length") > 100


def test_problems_are_seen(browser, tmp_path):
    """A page with every fault: another host, a missing file, an exception."""
    faults = "<img src='http://elsewhere.invalid/x.png'><img src='missing.png'><script>throw Error('thrown')</script>"
    (tmp_path / "page.html").write_text(faults)
    with served(tmp_path) as address, opened(browser, f"{address}/page.html") as (page, problems):
        page.wait_for_load_state("networkidle")
        for fault in ("elsewhere.invalid", "404", "thrown"):
            assert any(fault in problem for problem in problems), problems
