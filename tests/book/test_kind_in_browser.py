"""Figures that enlarge, links that land, what scrolls and says so, and keys that show where they are."""

import re

import pytest
from browsing import DESKTOP, PHONE, bring_to_life, opened, unfold

CHAPTER = "theorem-1"
FIGURE = "figure > a.enlarge"
STILL = "() => { const before = window.seen; window.seen = scrollY; return scrollY && before === scrollY; }"


@pytest.mark.parametrize("how", ["tap", "Enter"])
def test_figure_enlarges_and_closes(browser, site, how):
    with opened(browser, f"{site}/{CHAPTER}.html", size=PHONE) as (page, problems):
        link = page.locator(FIGURE).first
        small = link.locator("img").bounding_box()["width"]
        link.click() if how == "tap" else link.press("Enter")
        large = page.locator("dialog.enlarged img")
        assert large.bounding_box()["width"] > 1.5 * small, "the page shows the whole"
        large.click()
        assert large.bounding_box()["width"] <= PHONE["width"], "whole"
        page.keyboard.press("Escape")
        page.locator("dialog.enlarged").wait_for(state="detached")
        assert page.url.endswith(f"{CHAPTER}.html")
        assert link.evaluate("link => link === document.activeElement") or how == "tap"
        assert problems == []


def test_figure_is_whole_at_first_where_there_is_room(browser, site):
    with opened(browser, f"{site}/{CHAPTER}.html") as (page, _):
        link = page.locator(FIGURE).first
        link.scroll_into_view_if_needed()
        small = link.locator("img").bounding_box()["width"]
        link.click()
        large = page.locator("dialog.enlarged img").bounding_box()
        assert 1.3 * small < large["width"] <= DESKTOP["width"]
        assert large["height"] <= DESKTOP["height"]


def test_going_back_closes_a_figure_and_stays_on_the_page(browser, site):
    with opened(browser, f"{site}/index.html", size=PHONE) as (page, _):
        page.goto(f"{site}/{CHAPTER}.html")
        for how in ("back", "Close", "back"):
            page.locator(FIGURE).first.click()
            page.locator("dialog.enlarged").wait_for()
            page.go_back() if how == "back" else page.get_by_role("button", name="Close").click()
            page.locator("dialog.enlarged").wait_for(state="detached")
            page.wait_for_function("history.state !== 'enlarged'")
            assert page.url.endswith(f"{CHAPTER}.html")
        page.go_back()
        assert page.url.endswith("index.html")


def test_drawer_of_contents_closes_when_an_entry_is_tapped(browser, site):
    with opened(browser, f"{site}/{CHAPTER}.html", size=PHONE) as (page, _):
        page.locator("button.secondary-toggle").click()
        entry = page.locator(".bd-sidebar-secondary a").nth(3)
        entry.click()
        page.wait_for_function(
            "document.querySelector('.bd-sidebar-secondary').getBoundingClientRect().left >= innerWidth - 1"
        )


def test_lens_of_the_search_leaves_the_words_alone(browser, site):
    with opened(browser, f"{site}/search.html?q=beta", size=PHONE) as (page, _):
        form = page.locator("form.bd-search").last
        lens, field = form.locator("i, svg").first.bounding_box(), form.locator("input").first
        room = field.evaluate("each => parseFloat(getComputedStyle(each).paddingLeft)")
        assert lens["x"] + lens["width"] <= field.bounding_box()["x"] + room


def test_figure_enlarges_without_a_script(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/{CHAPTER}.html")
    page.locator(FIGURE).first.click()
    page.wait_for_url("**/_images/*")
    context.close()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_links_land_where_they_point(browser, site, size):
    """Late on a long page, where everything above must have its room at once."""
    with opened(browser, f"{site}/theorem-3.html") as (page, _):
        targets = page.evaluate(
            "[...document.querySelectorAll('article figure[id], div.math[id], div.proof[id]')].map(e => e.id)"
        )
    for target in (targets[len(targets) // 2], targets[-1]):
        with opened(browser, f"{site}/theorem-3.html#{target}", size=size) as (page, _):
            page.wait_for_function(STILL, polling=400)
            top = page.evaluate("id => document.getElementById(id).getBoundingClientRect().top", target)
            end = page.evaluate("document.documentElement.scrollHeight - innerHeight - scrollY")
            assert -5 <= top < 200 or end < 5, target


@pytest.mark.parametrize("name", [CHAPTER, "theorem-3", "very-deep"])
def test_nothing_scrolls_within_a_sentence(browser, site, name):
    with opened(browser, f"{site}/{name}.html", size=PHONE) as (page, _):
        unfold(page)
        scrolling = page.evaluate(
            "[...document.querySelectorAll('p span.math, p span.math *')]"
            ".filter(each => /auto|scroll/.test(getComputedStyle(each).overflowX)).length"
        )
        assert scrolling == 0
        wide = page.evaluate(
            "[...document.querySelectorAll('article p span.math mjx-math > *')].filter(each => !each.closest('table')"
            " && each.getBoundingClientRect().right > innerWidth).map(each => each.closest('p').innerText.slice(0, 80))"
        )
        assert wide == []


def test_what_scrolls_says_so_and_can_be_reached(browser, site):
    with opened(browser, f"{site}/very-deep.html", size=PHONE) as (page, _):
        unfold(page)
        page.wait_for_timeout(300)
        wide = "[...document.querySelectorAll('.pst-scrollable-table-container, div.math > mjx-container')]"
        wide += ".filter(each => each.clientWidth && each.scrollWidth > each.clientWidth + 1)"
        assert page.evaluate(f"{wide}.length") > 0
        assert (
            page.evaluate(f"{wide}.filter(each => each.tabIndex !== 0 || !each.classList.contains('scrolls')).length")
            == 0
        )
        ended = page.evaluate_handle(f"{wide}[0]")
        ended.evaluate("each => { each.scrollLeft = each.scrollWidth; }")
        page.wait_for_timeout(300)
        assert not ended.evaluate("each => each.classList.contains('scrolls')")


@pytest.mark.parametrize(
    "name", ["one-sitting", CHAPTER, "theorem-2", "theorem-3", "highway", "any-activation", "fluctuations"]
)
def test_phone_shows_the_whole_of_what_is_stated_or_numbered(browser, site, name):
    with opened(browser, f"{site}/{name}.html", size=PHONE) as (page, _):
        unfold(page)
        shown, wide = page.evaluate(
            """(() => {
                const stated = 'div.math[id] > mjx-container, .proof div.math > mjx-container';
                const seen = [...document.querySelectorAll(stated)].filter((each) => each.clientWidth);
                const wide = seen.filter((each) => each.scrollWidth > each.clientWidth + 1);
                return [seen.length, wide.map((each) => each.querySelector('math').textContent)];
            })()"""
        )
        assert shown > 1
        assert wide == []


def test_formulas_that_fit_are_no_tab_stops(browser, site):
    with opened(browser, f"{site}/{CHAPTER}.html") as (page, _):
        unfold(page)
        assert page.locator(".math").count() > 100
        assert page.locator("span.math [tabindex]").count() == 0
        stops = "[...document.querySelectorAll('div.math [tabindex]')]"
        fitting = f"{stops}.filter(each => each.scrollWidth <= each.clientWidth + 1).length"
        assert page.evaluate(fitting) == 0


def test_keys_show_where_they_are(browser, site):
    with opened(browser, f"{site}/{CHAPTER}.html") as (page, _):
        page.locator("article h1").evaluate("heading => { heading.tabIndex = -1; heading.focus(); }")
        unseen, seen = [], set()
        for _ in range(30):
            page.keyboard.press("Tab")
            name, outline = page.evaluate(
                "(e => [e.outerHTML.slice(0, 99), getComputedStyle(e).outlineStyle])(document.activeElement)"
            )
            seen.add(name)
            if outline == "none":
                unseen.append(name)
        assert unseen == []
        assert len(seen) > 20


@pytest.mark.parametrize("name", [CHAPTER, "one-sitting"])
def test_phone_shows_the_whole_of_a_figure_and_how_to_enlarge_it(browser, site, name):
    """Its letters are too small there; enlarged, they are larger than the text."""
    with opened(browser, f"{site}/{name}.html", size=PHONE) as (page, _):
        figures = page.locator(f"{FIGURE}:has(> img:not(.drawing))")
        assert figures.count() > 1
        for figure in figures.all():
            hidden = figure.evaluate("link => link.scrollWidth - link.clientWidth")
            picture = figure.locator("img").bounding_box()
            assert hidden <= 1
            assert picture["x"] >= 0
            assert picture["x"] + picture["width"] <= PHONE["width"]
            hint = figure.evaluate("link => getComputedStyle(link, '::after').content")
            assert "enlarge" in hint
        figures.first.click()
        large = page.locator("dialog.enlarged img")
        assert large.evaluate("image => image.offsetWidth / image.getAttribute('width')") >= 0.7
        page.keyboard.press("Escape")


def test_paper_of_a_figure_in_dark_mode_has_all_its_edges(browser, site):
    with opened(browser, f"{site}/who-is-active.html", size=PHONE, mode="dark") as (page, _):
        paper = page.locator(f"{FIGURE} > img.on-paper").first
        paper.scroll_into_view_if_needed()
        page.wait_for_timeout(300)  # for what marks what scrolls
        assert paper.evaluate("image => getComputedStyle(image.parentElement).maskImage") == "none"
        box, link = paper.bounding_box(), paper.locator("..").bounding_box()
        assert link["x"] <= box["x"]
        assert box["x"] + box["width"] <= link["x"] + link["width"]


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_paper_is_no_larger_than_its_figure(browser, site, mode, size):
    """Enlarged, photographs keep their paper; at night the rest of the screen is dark."""
    with opened(browser, f"{site}/who-is-active.html", size=size, mode=mode) as (page, _):
        paper = page.locator(f"{FIGURE}:has(> img.on-paper)").first
        small = paper.locator("img").bounding_box()
        paper.click()
        dialog = page.locator("dialog.enlarged")
        for _ in range(2):  # whole, and near
            large = dialog.locator("img").bounding_box()
            assert large["width"] / large["height"] == pytest.approx(small["width"] / small["height"], rel=0.1)
            dialog.locator("img").click()
        colour = dialog.evaluate("each => getComputedStyle(each).backgroundColor")
        brightness = max(int(number) for number in re.findall(r"\d+", colour)[:3])
        assert brightness < 80 if mode == "dark" else brightness > 200


def test_a_copy_button_has_room_for_a_finger(browser, site):
    with opened(browser, f"{site}/{CHAPTER}.html", size=PHONE, touch=True) as (page, _):
        button = page.locator("button.copybtn").first
        button.scroll_into_view_if_needed()
        box = button.bounding_box()
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        for step in (-21, 21):
            for x, y in ((middle[0] + step, middle[1]), (middle[0], middle[1] + step)):
                met = page.evaluate("([x, y]) => document.elementFromPoint(x, y)?.closest('button')?.className", [x, y])
                assert "copybtn" in (met or "")


def test_marks_of_a_search_do_not_move_the_page(browser, site):
    with opened(browser, f"{site}/index.html", size=PHONE) as (page, _):
        before = page.locator(".widget-live, canvas, svg").first.bounding_box()
    with opened(browser, f"{site}/index.html?highlight=gradients", size=PHONE) as (page, _):
        page.locator("p.highlight-link").wait_for()
        assert page.locator(".widget-live, canvas, svg").first.bounding_box() == before


def test_printed_tables_scroll_and_sentences_wrap(browser, site):
    with opened(browser, f"{site}/theorem-3.html", size=PHONE) as (page, _):
        styles = page.evaluate(
            "[...document.querySelectorAll('.cell_output pre')].map(each => "
            "[each.closest('.columns') !== null, getComputedStyle(each).whiteSpace])"
        )
        assert {True, False} == {columns for columns, _ in styles}
        assert all((how == "pre") == columns for columns, how in styles)


@pytest.mark.parametrize("name", ["index", CHAPTER, "theorem-2", "one-curve"])
def test_what_a_finger_presses_is_high_enough(browser, site, name):
    with opened(browser, f"{site}/{name}.html", size=PHONE, touch=True) as (page, _):
        assert page.evaluate("matchMedia('(pointer: coarse)').matches")
        bring_to_life(page)
        pressed = ".widget-choice span, .widget-live button, .widget-slider input, article summary, article a.sd-btn"
        pressed += ", .bd-header-article button"
        heights = page.evaluate(
            f"[...document.querySelectorAll('{pressed}')].filter(each => each.checkVisibility())"
            ".map(each => [each.getBoundingClientRect().height, each.outerHTML.slice(0, 80)])"
        )
        assert len(heights) > 9
        assert [each for height, each in heights if height < 43.9] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_room_is_kept_for_dials_with_larger_controls(browser, site):
    """Nothing moves when one appears."""
    for name in ("index", CHAPTER, "theorem-2", "who-is-active", "one-curve", "any-activation", "turning-the-mirror"):
        with opened(browser, f"{site}/{name}.html", size=PHONE, touch=True) as (page, _):
            dial = page.locator(".widget").first
            kept = dial.evaluate("each => parseFloat(getComputedStyle(each).minHeight)")
            bring_to_life(page)
            assert dial.bounding_box()["height"] <= kept + 1, name


def test_checks_are_rows_with_the_verdict_first_on_a_phone(browser, site):
    with opened(browser, f"{site}/{CHAPTER}.html", size=PHONE) as (page, _):
        unfold(page)
        rows = page.locator("details.checks .check")
        assert rows.count() > 3
        for row in rows.all():
            verdict, name, said = (row.locator(f".{part}").bounding_box() for part in ("verdict", "name", "said"))
            assert verdict["x"] + verdict["width"] <= name["x"]
            assert name["y"] + name["height"] <= said["y"] + 1
            assert said["x"] + said["width"] <= PHONE["width"]


@pytest.mark.parametrize("name", ["index", "one-curve", "diagnose"])
def test_signs_of_icons_are_drawn_by_the_font_that_has_them(browser, site, name):
    """Also those that style sheets put before boxes."""
    with opened(browser, f"{site}/{name}.html") as (page, _):
        families = page.evaluate(
            """[...document.querySelectorAll('*')].flatMap(each => ['::before', '::after'].map(where =>
                getComputedStyle(each, where))).filter(style => /[\ue000-\uf8ff]/.test(style.content))
                .map(style => style.fontFamily)"""
        )
    assert families
    assert {family for family in families if "Font Awesome" not in family} == set()
