"""Every page, open in all its folds, before the rules of axe; only what axe itself calls minor may be broken."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import bring_to_life, opened, served, unfold

from tools.site import pages

GRAVE = {"critical", "serious", "moderate"}
AXE = Axe()
# A formula is looked at as one text: its signs, thousands on a page, are MathJax's own.
FORMULAS_AS_TEXT = """document.querySelectorAll("mjx-container").forEach((each) =>
    each.replaceChildren(each.querySelector("math").textContent))"""
BUT_CONTRAST = {"rules": {"color-contrast": {"enabled": False}}}
# Contrast takes axe minutes where a page says much. So it looks at the first of each look.
MARK_LOOKS = """() => {
    const seen = new Set();
    const ground = (each) => {
        for (; each; each = each.parentElement) {
            const { backgroundColor, backgroundImage, opacity } = getComputedStyle(each);
            if (opacity !== '1' || backgroundImage !== 'none') return each.className + opacity + backgroundImage;
            if (backgroundColor !== 'rgba(0, 0, 0, 0)') return backgroundColor;
        }
    };
    document.querySelectorAll('[data-look]').forEach((each) => each.removeAttribute('data-look'));
    for (const each of document.body.querySelectorAll('*')) {
        const said = [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        if (!said || !each.checkVisibility()) continue;
        const { color, fontSize, fontWeight } = getComputedStyle(each);
        const look = [color, fontSize, fontWeight, ground(each)].join();
        if (!seen.has(look)) each.setAttribute('data-look', '');
        seen.add(look);
    }
}"""


def findings(page, context=None, **options) -> dict[str, list[str]]:
    """Rules that the page breaks, each with where."""
    answer = AXE.run(page, context, {"resultTypes": ["violations"], **options}).response
    return {
        f"{broken['id']} ({broken['impact']})": [node["html"][:160] for node in broken["nodes"][:5]]
        for broken in answer["violations"]
        if broken["impact"] in GRAVE
    }


def contrast(page) -> dict[str, list[str]]:
    """Of each look once."""
    page.evaluate(MARK_LOOKS)
    return findings(page, {"include": [["[data-look]"]]}, runOnly=["color-contrast"])


@pytest.mark.parametrize("name", [*pages(), "search"])
def test_axe_finds_nothing(browser, site, name):
    """In dark mode only colours differ."""
    with opened(browser, f"{site}/{name}.html") as (page, _):
        bring_to_life(page)
        unfold(page)
        page.evaluate(FORMULAS_AS_TEXT)
        light = findings(page, **BUT_CONTRAST) | contrast(page)
        page.evaluate("document.documentElement.dataset.theme = 'dark'")
        page.evaluate("Promise.all(document.getAnimations().map(each => each.finished)).then(() => true)")  # to dark
        dark = contrast(page)
    assert (light, dark) == ({}, {})


def test_findings_are_seen(browser, tmp_path):
    """Of looks that repeat too, and of a pale word in a sentence that repeats."""
    (tmp_path / "page.html").write_text(
        "<img src='a.png'><p style='color: #999'>pale</p><p style='color: #999'>pale</p>"
        "<p>dark</p><p>dark, and <b style='color: #bbb; font-weight: 400'>paler</b></p>"
    )
    with served(tmp_path) as address, opened(browser, f"{address}/page.html") as (page, _):
        assert "image-alt (critical)" in findings(page, **BUT_CONTRAST)
        assert len(contrast(page)["color-contrast (serious)"]) == 2
