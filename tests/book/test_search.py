"""The search of the pages, in a browser: what one looks for stands first, and is quoted from the text."""

import json
import re
from urllib.parse import quote

import pytest
from browsing import PHONE, opened
from test_book import article_of, numbers_in_page, soup_of

from tools.site import numbered_chapters

CHAPTERS = numbered_chapters()
BUTTONS = re.compile(r"\.md|\.pdf|\.ipynb|Colab|Repository|Suggest edit|Open issue|Contents")


@pytest.fixture(scope="module")
def searching(browser, site):
    """The page of the search, and what goes wrong on it."""
    with opened(browser, f"{site}/search.html") as (page, problems):
        page.wait_for_load_state("networkidle")  # a request that is cut off by the first search would be a problem
        yield page, problems


def results(searching, query):
    """Where each result leads, and what is quoted of it."""
    page, problems = searching
    problems.clear()
    page.goto(f"{page.url.partition('?')[0]}?q={quote(query)}")
    page.wait_for_function("document.querySelector('.search-summary')?.innerText")
    page.wait_for_load_state("networkidle")
    assert problems == []
    return [
        (item.locator("a").get_attribute("href"), " ".join(item.locator("p.context").all_inner_texts()))
        for item in page.locator("ul.search > li").all()
    ]


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ("Theorem 1", "theorem-1.html"),
        ("theorem 2", "theorem-2.html"),
        ("Theorem 3", "theorem-3.html"),
        ("Thm 3", "theorem-3.html"),
        ("LL-init", "looks-linear.html"),
        ("looks linear", "looks-linear.html"),
        ("looks-linear", "looks-linear.html"),
        ("batch norm", "theorem-3.html"),
        ("beta", "theorem-3.html"),
        ("β", "theorem-3.html"),
        (r"\beta", "theorem-3.html"),
        ("alpha", "notation.html#letter-alpha"),
        ("α", "notation.html#letter-alpha"),
        ("γ", "notation.html#letter-gamma"),
        ("λ", "notation.html#letter-lambda"),
        ("Λ", "notation.html#letter-lambda"),
        ("κ", "notation.html#letter-chi"),  # a row for both
        ("highway", "highway.html"),
        ("gradients explode", "gradients-explode.html"),
        ("how to cite", "index.html#how-to-cite"),
        ("co-activation", "who-is-active.html"),
    ],
)
def test_what_is_looked_for_stands_first(searching, query, target):
    found = [href for href, _ in results(searching, query)]
    assert found, "nothing is found"
    assert found[0] == target or ("#" not in target and found[0].partition("#")[0] == target)
    assert len(found) == len(set(found)), "a place is listed twice"


@pytest.mark.parametrize("query", ["Theorem 1", "theorem 2", "Thm 3"])
def test_a_theorem_of_the_paper_is_quoted_before_its_chapter(searching, query):
    (statement, quoted), (chapter, _), *_ = results(searching, query)
    assert chapter == f"theorem-{query[-1]}.html"
    assert statement.startswith(f"{chapter}#")
    assert re.match(r"Theorem \d\.\d \(Shattering in .*\) .{60}", quoted.lstrip(".")), "its title, and what it states"


@pytest.fixture(scope="module")
def numbers(html) -> dict[str, dict[str, list[str]]]:
    return {page: numbers_in_page(article_of(soup_of(html / f"{page}.html"))) for page in CHAPTERS}


@pytest.mark.parametrize("spelling", ["eq {}", "Eq. ({})", "equation {}", "({})"])
def test_equations_are_found_by_their_numbers(searching, numbers, spelling):
    for page in ("theorem-1", "theorem-3"):
        number = numbers[page]["equations"][1]
        href, quoted = results(searching, spelling.format(number))[0]
        assert href.startswith(f"{page}.html#equation-")
        assert quoted.lstrip(".").startswith(f"({number})")


def entries(html) -> dict[str, list[tuple[str, str]]]:
    """The index of the search: for each entry the pages, and the places on them."""
    text = (html / "searchindex.js").read_text()
    index = json.loads(text.removeprefix("Search.setIndex(").rstrip().removesuffix(")"))
    return {
        entry: [(index["docnames"][page], place) for page, place, _ in places]
        for entry, places in index["indexentries"].items()
    }


def test_every_number_is_in_the_index(html, numbers):
    """Each leads to one page, its own, and to a place there is."""
    index = entries(html)
    for page, kinds in numbers.items():
        soup = soup_of(html / f"{page}.html")
        names = [box.lower() for box in kinds["boxes"]] + [f"equation {number}" for number in kinds["equations"]]
        names += [f"section {number}" for number in kinds["sections"] if "." in number]
        assert names
        for name in names:
            [(where, place)] = index[name]
            assert where == page, name
            shown = soup.find(id=place).get_text(" ", strip=True)
            number = re.escape(name.rpartition(" ")[2])
            assert re.search(rf"(?<![\d.]){number}(?!\.?\d)", shown), name


@pytest.mark.parametrize(
    ("query", "said"),
    [("Theorem 4.3", "R(i,j)=(3/4)^L."), ("eq 5.2", "=∏_(l=1)^L(1+u_l)=1+β^2L,"), ("eq 3.2", "a_p(i)w_p.")],
)
def test_formulas_are_quoted_in_a_line(searching, query, said):
    assert said in results(searching, query)[0][1]


def test_results_are_quoted_from_the_text(searching):
    for query in ("centred", "dynamical isometry", "β"):
        found = results(searching, query)
        assert len(found) > 2
        for href, quoted in found:
            if href.startswith("package.html#"):  # a function: its module is named instead
                continue
            assert len(quoted) > 20, href
            assert not BUTTONS.search(quoted[:80]), f"{href}: {quoted}"
            assert not re.search(r"\\|Show code cell", quoted), f"{href}: {quoted}"


def test_what_is_quoted_fits_a_phone(browser, site):
    with opened(browser, f"{site}/search.html?q=Theorem%203", size=PHONE) as (page, _):
        page.locator("ul.search p.context").first.wait_for()
        page.wait_for_load_state("networkidle")
        right = page.evaluate(
            """Math.max(...[...document.querySelectorAll('ul.search p.context')].map((each) => {
                const text = document.createRange();
                text.selectNodeContents(each);
                return text.getBoundingClientRect().right;
            }))"""
        )
        assert 0 < right <= PHONE["width"]
