"""Every page, open in all its folds, before the rules of axe; only what axe itself calls minor may be broken."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import opened, served, unfold

from tools.site import pages

GRAVE = {"critical", "serious", "moderate"}
AXE = Axe()
# A formula has the colour of its sentence and MathJax's own MathML: its thousands of signs are not looked at singly.
BUT_FORMULAS = {"exclude": [["mjx-container"]]}


def findings(page, **options) -> dict[str, list[str]]:
    """Rules that the page breaks, each with where."""
    answer = AXE.run(page, BUT_FORMULAS, {"resultTypes": ["violations"], **options}).response
    return {
        f"{broken['id']} ({broken['impact']})": [node["html"][:160] for node in broken["nodes"][:5]]
        for broken in answer["violations"]
        if broken["impact"] in GRAVE
    }


@pytest.mark.parametrize("name", [*pages(), "search"])
def test_axe_finds_nothing(browser, site, name):
    """In dark mode only colours differ."""
    with opened(browser, f"{site}/{name}.html") as (page, _):
        unfold(page)
        light = findings(page)
        page.evaluate("document.documentElement.dataset.theme = 'dark'")
        page.evaluate("Promise.all(document.getAnimations().map(each => each.finished)).then(() => true)")  # to dark
        dark = findings(page, runOnly=["color-contrast"])
    assert (light, dark) == ({}, {})


def test_findings_are_seen(browser, tmp_path):
    (tmp_path / "page.html").write_text("<img src='a.png'><p style='color: #999; background: #fff'>pale</p>")
    with served(tmp_path) as address, opened(browser, f"{address}/page.html") as (page, _):
        assert {"image-alt (critical)", "color-contrast (serious)"} <= findings(page).keys()
        assert findings(page, runOnly=["color-contrast"]).keys() == {"color-contrast (serious)"}
