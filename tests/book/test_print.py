"""On paper: the PDF of the whole book, one page from the print menu, and the pages from a disk."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from zipfile import ZipFile

import pypdfium2
import pytest
from browsing import opened
from bs4 import BeautifulSoup, Tag
from filelock import FileLock
from test_book import NUMBERED, article_of, repeated_ids, soup_of

from tools import archive, pdf
from tools.site import ROOT, numbered_chapters, pages

CHAPTERS = numbered_chapters()
CHAPTER = "theorem-1"


def words(text: str) -> str:
    """One space between words. A PDF has marks of its own where it breaks a word."""
    return " ".join(re.sub(r"[\ufffe\u00ad\x02]\s*", "-", text).replace("\u00a0", " ").split())


def read(document: pypdfium2.PdfDocument, first: int = 0, last: int | None = None) -> str:
    return words(" ".join(document[n].get_textpage().get_text_bounded() for n in range(first, last or len(document))))


def on_paper(article: Tag) -> Tag:
    """An article without what is not printed: code and checks that the page folds, and buttons."""
    article = BeautifulSoup(str(article), "html.parser")
    for each in article.select("details.hide, details.checks > div, .headerlink, .sd-btn, script"):
        each.decompose()
    return article


def numbers(text: str, chapter: int) -> Counter[str]:
    """How often each statement, figure, table and exercise of a chapter is named, and each of its equations."""
    named = re.findall(NUMBERED.replace(r"[\d.]*\d", rf"{chapter}\.\d+"), text)
    return Counter([*named, *re.findall(rf"\({chapter}\.\d+\)", text)])


def openings(article: Tag) -> list[str]:
    """First words of each proof and solution, as far as the first formula or link, where it begins with words."""
    folds = article.select("details.sd-dropdown .sd-summary-content, details.solution section")
    first = [fold.select_one("p, li") for fold in folds]
    texts = [words(str(next(each.strings))) for each in first if each]
    return [text for text in texts if text.count(" ") >= 3 and "\\" not in text]


@pytest.fixture(scope="module")
def whole() -> BeautifulSoup:
    return BeautifulSoup(pdf.whole(), "html.parser")


@pytest.fixture(scope="module")
def book(html, browser):
    """The PDF of these pages, printed once for all tests that run at a time."""
    assert browser.is_connected()  # without a browser this is skipped
    with FileLock(pdf.PDF.with_suffix(".lock")):
        newest = max(file.stat().st_mtime for file in (html / "index.html", Path(pdf.__file__)))
        if not pdf.PDF.exists() or pdf.PDF.stat().st_mtime < newest:
            subprocess.run([sys.executable, "-m", "tools.pdf"], check=True, cwd=ROOT)  # it starts a browser of its own
    return pypdfium2.PdfDocument(pdf.PDF)


def test_places_of_the_whole_are_unique_and_links_lead_to_them(html, whole):
    assert repeated_ids(whole) == set()
    ids = {each["id"] for each in whole.find_all(id=True)}
    inside = [link["href"][1:] for link in whole.find_all("a", href=re.compile("^#"))]
    assert len(inside) > 1000
    assert set(inside) - ids == set()
    files = [each.get("src") or each.get("href") for each in whole.select("img[src], script[src], link[href]")]
    assert [each for each in files if not (html.parent / each.partition("?")[0]).is_file()] == []


@pytest.mark.parametrize(
    ("link", "place"),
    [
        ("#thm-x", "#theorem-1--thm-x"),
        ("#", "#theorem-1"),
        ("highway.html#cor-x", "#highway--cor-x"),
        ("highway.html", "#highway"),
        ("_images/x.png", "html/_images/x.png"),
        ("https://arxiv.org/abs/1#x", "https://arxiv.org/abs/1#x"),
    ],
)
def test_links_of_a_page_are_moved(link, place):
    assert pdf.moved(link, "theorem-1") == place


@pytest.mark.slow
def test_paper_has_the_numbers_of_the_pages(html, book):
    starts = {item.get_title(): item.get_dest().get_index() for item in book.get_toc() if item.level == 0}
    counted = Counter()
    for number, page in enumerate(CHAPTERS, start=1):
        article = article_of(soup_of(html / f"{page}.html"))
        later = [start for start in starts.values() if start > starts[heading(article.h1)]]
        printed = read(book, starts[heading(article.h1)], min(later))
        expected = numbers(words(on_paper(article).get_text()), number)
        assert numbers(printed, number) == expected, page
        counted += Counter(name.split()[0] for name in expected)
    assert counted["Theorem"] > 20
    assert counted["Figure"] > 60


def heading(element: Tag) -> str:
    """Its words, without the sign that links to it."""
    return words("".join(str(text) for text in element.strings if text.parent.get("class") != ["headerlink"]))


@pytest.mark.slow
def test_bookmarks_are_the_headings(html, book):
    headings = []
    for page in pages():
        found = article_of(soup_of(html / f"{page}.html")).find_all(re.compile("^h[1-6]$"))
        headings += [(int(each.name[1]) - 1, heading(each)) for each in found]
    assert [(item.level, item.get_title()) for item in book.get_toc()] == headings


@pytest.mark.slow
def test_proofs_and_solutions_are_unfolded_on_paper(html, book):
    printed = read(book)
    for page in CHAPTERS:
        expected = openings(article_of(soup_of(html / f"{page}.html")))
        assert [text for text in expected if text not in printed] == [], page
    assert len(openings(article_of(soup_of(html / f"{CHAPTER}.html")))) > 5


@pytest.fixture(scope="module")
def sheets(browser, site, tmp_path_factory) -> dict[str, pypdfium2.PdfDocument]:
    """One chapter, printed from light and from dark mode."""
    made = {}
    for mode in ("light", "dark"):
        with opened(browser, f"{site}/{CHAPTER}.html", mode=mode) as (page, _):
            file = tmp_path_factory.mktemp(mode) / "page.pdf"
            page.pdf(path=file)
            made[mode] = pypdfium2.PdfDocument(file)
            assert page.evaluate("document.documentElement.dataset.theme") == mode
            assert page.locator("article :is(details.sd-dropdown, details.solution)[open]").count() == 0, (
                "printing leaves the screen as it was"
            )
    return made


def test_a_page_prints_whole(html, sheets):
    article = article_of(soup_of(html / f"{CHAPTER}.html"))
    printed = read(sheets["light"])
    number = CHAPTERS.index(CHAPTER) + 1
    assert numbers(printed, number) == numbers(words(on_paper(article).get_text()), number)
    assert printed.startswith(heading(article.h1))
    assert [text for text in openings(article) if text not in printed] == []
    assert not re.search(r"Suggest edit|Print to PDF|Download this page|previous|Show code cell", printed)


def test_dark_mode_prints_as_light_mode_does(sheets):
    light, dark = ([sheet.render(scale=0.5).to_numpy() for sheet in sheets[mode]] for mode in ("light", "dark"))
    assert len(light) == len(dark)
    assert all((one == other).all() for one, other in zip(light, dark, strict=True))


def test_the_archive_is_read_from_a_disk(browser, html, tmp_path):
    """No server, no network: formulas, pictures, and the search."""
    archive.pack(html, tmp_path / "book.zip")
    with ZipFile(tmp_path / "book.zip") as packed:
        assert {name.partition("/")[0] for name in packed.namelist()} == {archive.NAME}
        packed.extractall(tmp_path)
    folder = tmp_path / archive.NAME
    shutil.rmtree(folder / "_sources")  # for who wants them; no page needs them
    for name in ("index", CHAPTER):
        with opened(browser, (folder / f"{name}.html").as_uri()) as (page, problems):
            page.wait_for_load_state("networkidle")
            assert problems == []
            assert page.locator("mjx-container").count() > 0
            assert page.locator("article figure img").count() > 0
            for image in page.locator("article figure img").all():
                assert image.evaluate("each => { each.loading = 'eager'; return each.decode().then(() => true); }")
    with opened(browser, (folder / "search.html").as_uri() + "?q=looks+linear") as (page, problems):
        first = page.locator("ul.search > li a").first
        first.wait_for()
        assert Path(first.get_attribute("href")).name == "looks-linear.html"
        assert problems == []
