"""What makes the pages quick and kind, as far as their files tell without a browser."""

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from PIL import Image

from tools.figures import size
from tools.icons import sheet
from tools.mathematics import formula, mathjax_folder, styles


def faults(page: BeautifulSoup) -> list[str]:
    """What makes a page slow, or stands in the way of a keyboard or a screen reader."""
    scripts = [script["src"] for script in page.find_all("script", src=True)]
    fetched = scripts + [link["href"] for link in page.find_all("link", href=True)]
    formulas = page.select(".math")
    return [
        *(f"fetches {name}" for name in fetched if re.search("fontawesome|mathjax/", name)),
        *(f"keeps no room for {image['src']}" for image in page.select("article img:not([width][height])")),
        *(f"does not enlarge {image['src']}" for image in page.select("figure img") if not image.find_parent("a")),
        *(f"leaves to a script: {each.get_text()[:40]}" for each in formulas if not each.find("mjx-container")),
        *(f"does not say: {each.get_text()[:40]}" for each in formulas if not each.find("math")),
        *(f"makes a tab stop of a formula: {each}" for each in page.select(".math [tabindex], .math[tabindex]")),
        *(f"presses two things in one place: {each}" for each in page.select("summary a, summary button")),
        *(f"names nothing: {each}" for each in page.select("summary") if not each.get_text(strip=True)),
    ]


def smaller_than(font: Path, whole: Path) -> bool:
    return font.stat().st_size < (whole.stat().st_size if whole.exists() else 20_000)  # Font Awesome's least has 25 kB


def test_no_page_has_a_fault(soups):
    assert {name: found for name, page in soups.items() if (found := faults(page))} == {}


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("<script src='_static/vendor/fontawesome/6.5.2/js/all.min.js'></script>", "fetches"),
        ("<script src='_static/mathjax/tex-chtml.js'></script>", "fetches"),
        ("<article><img src='a.png' width='3'></article>", "keeps no room for"),
        ("<figure><img src='a.png'></figure>", "does not enlarge"),
        ("<span class='math'>\\(x\\)<math></math></span>", "leaves to a script"),
        ("<span class='math'><mjx-container></mjx-container></span>", "does not say"),
        ("<span class='math'><mjx-container tabindex='0'><math></math></mjx-container></span>", "makes a tab stop"),
        ("<summary>Proof of <a href='#t'>Theorem 1</a></summary>", "presses two things"),
        ("<summary> </summary>", "names nothing"),
    ],
)
def test_faults_are_seen(fault, said):
    [found] = faults(BeautifulSoup(fault, "html.parser"))
    assert found.startswith(said)


def test_what_no_page_uses_is_not_shipped(html):
    """MathJax and Font Awesome as they come are 30 MB; the fonts here hold fewer signs than theirs."""
    static = html / "_static"
    names = [file.relative_to(static).as_posix() for file in static.rglob("*")]
    assert [name for name in names if re.search(r"mathjax/|fontawesome|locales|\.ttf$|macros", name)] == []
    named = {
        (sheet.parent / name).resolve()
        for sheet in (static / "mathematics.css", static / "icons.css")
        for name in re.findall(r'url\("([^":]+)"\)', sheet.read_text())
    }
    assert named == {file.resolve() for file in static.rglob("*.woff*")}
    assert len(named) > 5
    whole = mathjax_folder() / "output" / "chtml" / "fonts" / "woff-v2"
    assert [file.name for file in named if not smaller_than(file, whole / file.name)] == []


def test_every_icon_has_its_sign(html, soups):
    shown = {name for page in soups.values() for each in page.select("[class*=fa-]") for name in each["class"]}
    icons = {name for name in shown if name.startswith("fa-")} - {"fa-solid", "fa-regular", "fa-brands", "fa-lg"}
    signs = (html / "_static" / "icons.css").read_text()
    assert icons
    assert [name for name in icons if f".{name}:before" not in signs] == []


def test_figures_of_chapters_are_webp_and_the_same_to_the_pixel(html):
    drawn = {file.stem: file for file in (html.parent / "jupyter_execute").rglob("*.png")}
    shown = {file.stem: file for file in (html / "_images").iterdir() if file.suffix != ".svg"}
    assert {file.suffix for file in shown.values()} == {".webp"}
    assert shown.keys() <= drawn.keys()
    for name in shown:
        with Image.open(shown[name]) as webp, Image.open(drawn[name]) as png:
            assert webp.convert("RGBA").tobytes() == png.convert("RGBA").tobytes()


@pytest.mark.parametrize("wrong", [r"\undefined{x}", r"\frac{1}", "x^a^b", r"\begin{align} x"])
def test_formula_that_cannot_be_set_is_told(wrong):
    assert "data-mjx-error" in formula(wrong, False)
    assert "data-mjx-error" not in formula(r"\operatorname{Var}[x] \le \frac{2}{N}", True)


def test_formula_in_a_sentence_may_break_behind_a_relation_or_an_operator_and_nowhere_else():
    assert formula("a = b", False).count("<mjx-run>") == 2
    assert formula("a + b", False).count("<mjx-run>") == 2
    assert formula("f(-x)", False).count("<mjx-run>") == 0
    assert formula("x^{a = b}", False).count("<mjx-run>") == 0


def test_styles_hold_the_symbols_that_were_set():
    assert formula(r"\aleph_0", False)
    assert r'content: "\2135"' in styles()


def test_sheet_of_icons_takes_signs_from_the_vendor():
    vendor = r'.fa-a:before,.fa-b:before{content:"\f001"}.fa-c:before{content:"\f002"}'
    made = sheet({"fa-a", "fa-lg"}, vendor)
    assert r'.fa-a:before{content:"\f001"}' in made
    assert "f002" not in made


@pytest.mark.parametrize(("unit", "pixels"), [("pt", (400, 200)), ("px", (300, 150)), ("", (300, 150))])
def test_size_of_a_drawing(tmp_path, unit, pixels):
    drawing = tmp_path / "a.svg"
    drawing.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" width="300{unit}" height="150{unit}"/>')
    assert size(drawing) == pixels


def test_drawing_without_a_size_is_an_error(tmp_path):
    drawing = tmp_path / "a.svg"
    drawing.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="100%"/>')
    with pytest.raises(ValueError, match="must have a width and a height in pt or px"):
        size(Path(drawing))


@pytest.mark.parametrize(
    ("tex", "runs"),
    [
        (r"C = 2^L, \qquad R = 1", [2, 2]),
        (r"f(a + b) \;\le\; \big(a + b\big)^2 + c", [3]),
        (r"R \xrightarrow{M \to \infty} 0", [2]),
        (r"w_p v", [0]),
    ],
)
def test_displayed_formula_may_break_in_gaps_and_before_operators(tex, runs):
    """Not within brackets."""
    soup = BeautifulSoup(formula(tex, True), "html.parser")
    parts = soup.find_all("mjx-part") or [soup]
    assert [len(part.find_all("mjx-run")) for part in parts] == runs
    assert len(soup.find_all("mjx-gap")) == len(parts) - 1
    assert len(soup.find_all("wbr")) == sum(max(0, each - 1) for each in runs)
