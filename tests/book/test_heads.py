"""What others read of a page without reading it: its head, the map of the site, the page for a wrong address."""

import json
import re
from datetime import date
from itertools import pairwise
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
import yaml
from bs4 import BeautifulSoup
from docutils import nodes
from PIL import Image

from tools import heads
from tools.cards import facts
from tools.colab import colab_link, notebook_names
from tools.site import ROOT, address, numbered_chapters, pages

PAGES = pages()
HOME = address("Homepage") + "/"
CHAPTERS = numbered_chapters()
BOOK = yaml.safe_load((ROOT / "CITATION.cff").read_text())


def tags(page: BeautifulSoup, name: str) -> list[str]:
    """What all tags of that name say."""
    return [tag["content"] for tag in page.head.find_all("meta", attrs={"name": name})] + [
        tag["content"] for tag in page.head.find_all("meta", attrs={"property": name})
    ]


def data(page: BeautifulSoup) -> dict:
    [script] = page.head.find_all("script", type="application/ld+json")
    return json.loads(script.string)


def test_every_page_describes_itself(soups):
    described = {}
    for page, soup in soups.items():
        [text] = tags(soup, "description")
        assert 40 < len(text) <= heads.LONGEST + 2, f"{page}: {text}"
        assert not re.search(r"[\\${}]|\[[^]]*\d{4}\]", text), f"{page}: {text}"
        assert tags(soup, "og:description") == [text]
        described[text] = page
    assert len(described) == len(PAGES), "two pages say the same"


def test_no_title_says_itself_twice(soups):
    titles = {page: soup.title.get_text().strip() for page, soup in soups.items()}
    assert titles["index"] == "Shattered gradients"
    assert len(set(titles.values())) == len(PAGES)
    for title in titles.values():
        assert all(one != other for one, other in pairwise(title.split(" — ")))


def test_a_page_has_one_address(html, soups):
    for page, soup in soups.items():
        [canonical] = soup.select("link[rel=canonical]")
        named = [canonical["href"], *tags(soup, "og:url"), *tags(soup, "citation_public_url"), data(soup)["url"]]
        assert set(named) == {f"{HOME}{page}.html"} | ({HOME} if page == PAGES[0] else set()), page
    listed = [each.text for each in ElementTree.parse(html / "sitemap.xml").iter() if each.tag.endswith("}loc")]
    assert sorted(listed) == sorted(f"{HOME}{page}.html" for page in PAGES)


def test_a_shared_page_shows_a_picture(html, soups):
    pictures = {}
    for page, soup in soups.items():
        [picture], [alternative] = tags(soup, "og:image"), tags(soup, "og:image:alt")
        with Image.open(html / picture.removeprefix(HOME)) as image:
            assert image.format == "PNG", page  # networks show no SVG
            assert image.width >= 600, page
            assert image.height >= 315, page
        assert len(alternative) > 40, page
        assert tags(soup, "twitter:card") == ["summary_large_image"]
        pictures[page] = picture
    assert all(pictures[page] == f"{HOME}_static/drawings/{page}.png" for page in CHAPTERS)
    assert pictures["index"] == f"{HOME}picture.png"


def test_pages_can_be_cited(soups):
    for page, soup in soups.items():
        whole = [] if page == PAGES[0] else [BOOK["title"]]
        assert tags(soup, "citation_inbook_title") == whole
        assert tags(soup, "citation_title") == ([BOOK["title"]] if not whole else tags(soup, "og:title"))
        assert tags(soup, "citation_author") == [author["name"] for author in BOOK["authors"]]
        assert tags(soup, "citation_publication_date") == [f"{BOOK['date-released']:%Y/%m/%d}"]


def test_structured_data_say_what_the_page_says(soups):
    for page, soup in soups.items():
        said = data(soup)
        assert said["@type"] == ("Book" if page == PAGES[0] else "Chapter")
        assert date.fromisoformat(said["datePublished"]) == BOOK["date-released"]
        assert [said["description"]] == tags(soup, "description")
        if page in CHAPTERS:
            title, minutes, difficulty = facts(page)
            assert said["name"] == title
            assert said["timeRequired"] == f"PT{minutes}M"
            assert said["educationalLevel"] == ["beginner", "intermediate", "advanced"][int(difficulty) - 1]
            assert said["isPartOf"]["name"] == BOOK["title"]


def test_how_to_cite_says_what_the_citation_file_says(soups):
    bibtex = soups["index"].find(id="how-to-cite").pre.get_text()
    entry = dict(re.findall(r"(\w+)\s*=\s*{+(.*?)}+,?\n", bibtex))
    assert entry == {
        "title": BOOK["title"],
        "author": BOOK["authors"][0]["name"],
        "year": str(BOOK["date-released"].year),
        "url": BOOK["url"],
    }


def test_a_wrong_address_leads_on(html):
    """The page is shown at any depth, so all that it needs and links to is named from the root of the host."""
    page = BeautifulSoup((html / "404.html").read_text(), "html.parser")
    assert page.select_one("article h1").get_text() == "Page not found"
    assert tags(page, "robots") == ["noindex"]
    assert page.select("link[rel=canonical]") == []
    root = urlsplit(HOME).path
    named = [each.get("href") or each.get("src") for each in page.find_all(["a", "link", "script", "img"])]
    local = [each for each in named if each and not urlsplit(each).netloc and not each.startswith("#")]
    assert {f"{root}{page}.html" for page in PAGES} <= set(local)
    missing = [each for each in local if not (html / urlsplit(each).path.removeprefix(root)).is_file()]
    assert all(each.startswith(root) for each in local)
    assert missing == []


def test_notebooks_are_in_the_menu_of_downloads(html, soups):
    for page, soup in soups.items():
        links = [link["href"] for link in soup.select(".dropdown-download-buttons a")]
        if name := notebook_names().get(page):
            assert links[:2] == [f"notebooks/{name}.ipynb", colab_link(name)]
            assert (html / links[0]).read_bytes() == (html.parent / links[0]).read_bytes()
        else:
            assert not any("ipynb" in link for link in links)


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (r"R = E[2^{-K}]", "R = E[2^-K]"),
        (r"\beta = 0.1", "β = 0.1"),
        (r"\varphi(x)", "φ(x)"),
        (r"\hat R", "hat R"),
    ],
)
def test_formulas_are_read_in_a_line(formula, text):
    assert heads.readable(formula) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Short; whole.", "Short; whole."),
        ("It is so [Balduzzi et al., 2017].", "It is so."),
        ("One part; " + "and another " * 20, "One part."),
        ("word " * 50, "word " * 39 + "word …"),
    ],
)
def test_descriptions_end_with_a_sentence_or_a_word(text, shown):
    assert heads.shortened(text) == shown


def test_a_page_without_a_paragraph_is_named():
    empty = nodes.section("", nodes.title("", "References"))
    with pytest.raises(ValueError, match=r"^x\.md: a page begins with a paragraph"):
        heads.description("x", empty)
