"""Pages in a real browser: what only a browser does, and that it asks no other machine for anything."""

import re

import pytest
from browsing import PHONE, bring_to_life, opened, served, unfold

CHAPTER = "theorem-1"
PAGES = ["index", "one-sitting", CHAPTER, "package"]
PROSE = "() => { const a = document.querySelector('article').cloneNode(true);"
PROSE += " a.querySelectorAll('pre, code, mjx-container').forEach(e => e.remove()); return a.textContent; }"


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
        solution = page.locator("article details.solution").first
        text = solution.locator("section p, section .math").first
        assert not text.is_visible()
        solution.locator("summary").first.click()
        text.wait_for(state="visible")


@pytest.mark.parametrize("name", PAGES)
def test_phone_shows_all_without_sideways_scrolling(browser, site, name):
    with opened(browser, f"{site}/{name}.html", size=PHONE) as (page, _):
        bring_to_life(page)
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


@pytest.mark.parametrize("name", [CHAPTER, "one-curve", "highway"])
def test_no_line_begins_with_the_mark_after_a_formula(browser, site, name):
    """Nor where the formula itself goes on to a second line: the mark stays with its end."""
    with opened(browser, f"{site}/{name}.html", size=PHONE) as (page, _):
        unfold(page)
        left_of_its_end = page.evaluate(
            """[...document.querySelectorAll('article span.math')].flatMap(formula => {
                const next = formula.nextSibling;
                if (!/^[,.;:]/.test(next?.data)) return [];
                const mark = document.createRange();
                mark.setStart(next, 0);
                mark.setEnd(next, 1);
                const end = [...formula.querySelectorAll('mjx-run')].at(-1) ?? formula;
                return [mark.getBoundingClientRect().left <= end.getBoundingClientRect().left];
            })"""
        )
        assert len(left_of_its_end) > 20
        assert not any(left_of_its_end)


@pytest.mark.parametrize("name", ["index", "gradients-as-noise", CHAPTER])
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_figures_are_seen(browser, site, name, mode):
    """In dark mode too: as negatives on the page itself, or on white paper where dark and bright mean something."""
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
            dark = negative if figure.evaluate("image => !image.classList.contains('on-paper')") else card
            assert mode == "light" or style == dark


def test_start_page_shows_its_picture_and_no_code(browser, site):
    """Below the dial, which is what is in view first."""
    with opened(browser, f"{site}/index.html") as (page, _):
        dial, picture = page.locator("article .widget").first, page.locator("article figure").first
        assert dial.bounding_box()["y"] < picture.bounding_box()["y"]
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
