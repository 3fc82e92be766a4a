"""The book as built: its numbers, links, pictures and notebooks."""

import json
import re
from base64 import b64decode
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup, Tag
from docutils import nodes

from tools.colab import stale, without_measured
from tools.execute import BUDGET, BUDGETS
from tools.headers import HEADER, without_header
from tools.markdown import CodeCell, Page, joined
from tools.mathematics import formula
from tools.site import FORMULA_AND_MARK, ROOT, address, pages

PAGES = pages()
DRAWINGS = ROOT / "book" / "_static" / "drawings"
CORES, SLOWEST_MACHINE = 2, 2  # what a budget is for, and how much slower the machine that runs this test may be
NUMBERED = (
    r"(?:Theorem|Lemma|Proposition|Corollary|Definition|Assumption|Remark|Observation|Exercise|Figure|Table) [\d.]*\d"
)


def soup_of(file: Path) -> BeautifulSoup:
    return BeautifulSoup(file.read_text(), "html.parser")


def article_of(page: BeautifulSoup) -> Tag:
    return page.find("article")


def repeated_ids(page: BeautifulSoup) -> set[str]:
    ids = [element["id"] for element in page.find_all(id=True)]
    return {one for one in ids if ids.count(one) > 1}


def broken_links(folder: Path, names: list[str]) -> list[str]:
    """Links and pictures of the named pages that lead to no file, or to no place in it."""
    soups = {name: soup_of(folder / f"{name}.html") for name in names}
    places = {name: {element["id"] for element in page.find_all(id=True)} for name, page in soups.items()}
    broken = []
    for name, page in soups.items():
        for element in page.find_all(["a", "img", "script", "link"]):
            target = urlsplit(element.get("href") or element.get("src") or "")
            if target.scheme or target.netloc:
                continue
            file = folder / unquote(target.path) if target.path else folder / f"{name}.html"
            known = places.get(file.stem) if file.suffix == ".html" else None
            missing_place = target.fragment and known is not None and unquote(target.fragment) not in known
            if not file.exists() or missing_place:
                broken.append(f"{name}: {target.geturl()}")
    return broken


def without_alternative(article: Tag) -> list[str]:
    """Pictures that a blind reader cannot read. Without alternative text, Sphinx puts the name of the file there."""
    return [
        image["src"]
        for image in article.find_all("img")
        if not image.get("alt", "").strip() or Path(image["alt"]).suffix in {".png", ".webp", ".svg", ".jpg"}
    ]


def from_other_hosts(page: BeautifulSoup) -> list[str]:
    """Everything that a browser would fetch from elsewhere only to show the page."""
    sources = [element["src"] for element in page.find_all(src=True)]
    sources += [link["href"] for link in page.find_all("link", href=True) if "canonical" not in link["rel"]]
    return [source for source in sources if urlsplit(source).netloc]


def left_as_markup(article: Tag) -> list[str]:
    """Roles and directives that MyST did not understand and left in the text."""
    strings = article.find_all(string=True)
    text = "\n".join(
        str(each) for each in strings if not each.find_parent(["script"]) and not each.find_parent(class_="cell")
    )
    return re.findall(r"\{[a-z]+:?[a-z]*\}`.*|```\{.*|^:::.*", text, re.MULTILINE)


def numbers_in_page(article: Tag) -> dict[str, list[str]]:
    """What the page numbers, in order, by kind: boxes with figures and tables, equations, sections, references."""
    labels = [label.get_text().strip() for label in article.find_all(class_="caption-number")]
    references = [a.get_text() for a in article.select("a.reference.internal") if not a.find_parent("summary")]
    return {
        "boxes": [re.search(NUMBERED, label)[0] for label in labels],
        "equations": re.findall(r"\(([\d.]+)\)", " ".join(e.get_text() for e in article.find_all(class_="eqno"))),
        "sections": [number.get_text().strip(" .") for number in article.find_all(class_="section-number")],
        "references": [text for text in references if re.fullmatch(rf"{NUMBERED}|\([\d.]+\)", text)],
        "measured": [value.get_text() for value in article.find_all(class_="pasted-text")],
    }


def numbers_in_notebook(notebook: nbformat.NotebookNode) -> dict[str, list[str]]:
    """The same of a notebook."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return {
        "boxes": re.findall(rf"^(?:> )*\*\*({NUMBERED})", text, re.MULTILINE),
        "equations": re.findall(r"\\tag{([\d.]+)}", text),
        "sections": re.findall(r"^#+ ([\d.]*\d)\. ", text, re.MULTILINE),
        "references": re.findall(rf"\[({NUMBERED}|\([\d.]+\))\]\(", text),
        "measured": [
            value
            for position, _, value in notebook.metadata.shattered.measured
            if notebook.cells[position].cell_type == "markdown"  # its last cell holds those of the checks
        ],
    }


def pictures_in_notebook(notebook: nbformat.NotebookNode) -> list[bytes]:
    """What its Markdown holds of pictures, and no address of one that lies elsewhere."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    addresses = re.findall(r"!\[[^\]]*\]\(([^)]*)\)", text)
    assert [address for address in addresses if not address.startswith("data:image/png;base64,")] == []
    return [b64decode(address.partition(",")[2], validate=True) for address in addresses]


def notebook_of(page: str, soup: BeautifulSoup) -> str | None:
    """Which notebook belongs to a page: its chapter's number, 00 for the sitting, and its name."""
    number = article_of(soup).h1.find(class_="section-number")
    if page == "index":
        return f"{page}.ipynb"
    if page == "one-sitting":
        return f"00-{page}.ipynb"
    return f"{int(number.get_text().strip(' .')):02d}-{page}.ipynb" if number else None


def test_ids_are_unique(soups):
    assert {page: repeated_ids(soup) for page, soup in soups.items()} == {page: set() for page in PAGES}


def test_links_lead_somewhere(html):
    assert broken_links(html, PAGES) == []


def test_pictures_have_alternative_text(soups):
    assert {page: without_alternative(article_of(soup)) for page, soup in soups.items()} == {p: [] for p in PAGES}


def test_pictures_have_number_and_caption(soups):
    for page, soup in soups.items():
        for image in article_of(soup).select("img:not(.sd-card-img-top)"):  # a card has its title
            caption = image.find_parent("figure") and image.find_parent("figure").find("figcaption")
            assert caption, f"{page}: {image['src']}"
            assert caption.find(class_="caption-number"), f"{page}: {image['src']}"
            assert caption.find(class_="caption-text").get_text(strip=True), f"{page}: {image['src']}"


def test_nothing_comes_from_other_hosts(soups):
    assert {page: from_other_hosts(soup) for page, soup in soups.items()} == {page: [] for page in PAGES}


def test_no_markup_is_left(soups):
    assert {page: left_as_markup(article_of(soup)) for page, soup in soups.items()} == {page: [] for page in PAGES}


def test_measured_values_are_there(soups):
    values = [value.get_text() for soup in soups.values() for value in soup.find_all(class_="pasted-text")]
    assert values, "no chapter states a number of its own run"
    assert all(re.search(r"\w", value) for value in values)


def test_edit_links_lead_to_the_sources(soups):
    for page, soup in soups.items():
        [link] = soup.select("a.btn-source-edit-button")
        assert link["href"] == f"{address('Repository')}/edit/main/book/{page}.md"
        assert (ROOT / "book" / f"{page}.md").is_file()


def test_rocket_opens_the_notebook_of_the_page(soups):
    repository = address("Repository").removeprefix("https://github.com/")
    for page, soup in soups.items():
        name = notebook_of(page, soup)
        links = [
            a["href"] for a in soup.find_all("a", href=re.compile("colab")) if "header" in str(a.parent.get("class"))
        ]
        assert links == (
            [f"https://colab.research.google.com/github/{repository}/blob/main/notebooks/{name}"] if name else []
        )
        assert name is None or (ROOT / "notebooks" / name).is_file()


def test_notebooks_have_the_numbers_of_the_pages(html, soups):
    names = {page: name for page, soup in soups.items() if (name := notebook_of(page, soup))}
    assert sorted(names.values()) == sorted(file.name for file in (html.parent / "notebooks").glob("*.ipynb"))
    for page, name in names.items():
        notebook = nbformat.read(html.parent / "notebooks" / name, as_version=4)
        assert numbers_in_notebook(notebook) == numbers_in_page(article_of(soups[page])), page


def test_notebooks_hold_the_drawings_of_the_pages(html, soups):
    names = {page: name for page, soup in soups.items() if (name := notebook_of(page, soup))}
    for page, name in names.items():
        shown = [Path(unquote(image["src"])).stem for image in article_of(soups[page]).select("figure img.drawing")]
        notebook = nbformat.read(html.parent / "notebooks" / name, as_version=4)
        assert pictures_in_notebook(notebook) == [(DRAWINGS / f"{name}.png").read_bytes() for name in shown], page


def test_notebooks_send_to_the_page_for_its_dial(html, soups):
    dials = [page for page, soup in soups.items() if soup.select(".widget") and page != "index"]
    assert len(dials) >= 6
    for page in dials:
        notebook = nbformat.read(html.parent / "notebooks" / notebook_of(page, soups[page]), as_version=4)
        text = "\n".join(cell.source for cell in notebook.cells)
        assert f"**Try it** on [the page of the book]({address('Homepage')}/{page}.html)." in text, page
        assert "**Try it.**" not in text


def test_notebooks_are_clean(html):
    for file in (html.parent / "notebooks").glob("*.ipynb"):
        notebook = nbformat.read(file, as_version=4)
        nbformat.validate(notebook)
        ids = [cell.id for cell in notebook.cells]
        assert len(ids) == len(set(ids)), file.name
        assert not any(cell.get("outputs") for cell in notebook.cells), file.name
        text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        assert not re.search(r"[\ue000\ue001]|\{[a-z]+:[a-z]+\}`|:::|```\{|\?\.\*\*", text), file.name


def test_committed_notebooks_are_fresh(html):
    built = {file.name: nbformat.read(file, as_version=4) for file in (html.parent / "notebooks").glob("*.ipynb")}
    committed = {file.name: nbformat.read(file, as_version=4) for file in (ROOT / "notebooks").glob("*.ipynb")}
    assert sorted(built) == sorted(committed)
    different = [name for name in built if without_measured(built[name]) != without_measured(committed[name])]
    assert different == [], "run `make notebooks` and commit notebooks/"
    assert stale(ROOT / "notebooks", ROOT / "book") == []


@pytest.fixture(scope="module")
def run_times(html) -> dict[str, dict[str, float]]:
    return json.loads((html.parent / "run-times.json").read_text())


def test_chapters_keep_their_time(run_times):
    """Time of a processor, since what runs beside a chapter makes the clock go on."""
    allowed = {page: CORES * SLOWEST_MACHINE * BUDGETS.get(page, BUDGET) for page in run_times}
    spent = {page: time["processor_seconds"] for page, time in run_times.items()}
    assert {page: seconds for page, seconds in spent.items() if not 0 < seconds <= allowed[page]} == {}


def test_every_notebook_was_executed(soups, run_times):
    assert {page for page, soup in soups.items() if notebook_of(page, soup)} == set(run_times)


def test_run_times_name_the_chapters(soups, run_times):
    rows = [[cell.get_text(strip=True) for cell in row("td")] for row in soups["run-times"].select("article tbody tr")]
    assert [row[1:] for row in rows] == [
        [f"{run_times[page]['seconds']:.0f}", f"{run_times[page]['processor_seconds']:.0f}"]
        for page in PAGES
        if page in run_times
    ]
    assert all(re.search("[a-z] [a-z]", row[0]) for row in rows)  # a title, not a file


def test_ledger_links_to_every_statement(soups):
    boxes = {f"{page}.html#{box['id']}" for page, soup in soups.items() for box in soup.select("div.proof[id]")}
    links = {a["href"] for a in article_of(soups["claim-ledger"]).find_all("a")}
    assert boxes, "the book states nothing"
    assert boxes <= links


# The checks above, on pages that are wrong


def test_repeated_id_is_seen():
    assert repeated_ids(BeautifulSoup("<p id=a></p><p id=b></p><p id=a></p>", "html.parser")) == {"a"}


@pytest.mark.parametrize("href", ["missing.html", "b.html#nowhere", "#nowhere"])
def test_broken_link_is_seen(tmp_path, href):
    (tmp_path / "a.html").write_text(f"<a id=here href='{href}'></a><a href='b.html#there'></a><a href='#here'></a>")
    (tmp_path / "b.html").write_text("<p id=there></p>")
    assert broken_links(tmp_path, ["a", "b"]) == [f"a: {href}"]


@pytest.mark.parametrize("alt", ["", "alt=' '", "alt='_images/figure.png'"])
def test_missing_alternative_text_is_seen(alt):
    assert without_alternative(BeautifulSoup(f"<img src=x {alt}><img src=y alt='A line.'>", "html.parser")) == ["x"]


def test_other_host_is_seen():
    page = "<script src='https://cdn.example/x.js'></script><script src='x.js'></script><link rel=canonical href='https://a.b/'>"
    assert from_other_hosts(BeautifulSoup(page, "html.parser")) == ["https://cdn.example/x.js"]


@pytest.mark.parametrize("text", ["see {prf:ref}`x`", "::: {note}", "```{prf:lemma}"])
def test_left_markup_is_seen(text):
    assert left_as_markup(BeautifulSoup(f"<p>{text}</p><div class=cell>{{eq}}`x`</div>", "html.parser")) != []


@pytest.fixture
def notebook():
    cells = [nbformat.v4.new_markdown_cell("**Theorem 1.2.** We found 0.31.", id="a")]
    made = nbformat.v4.new_notebook(cells=cells)
    made.metadata.shattered = {"chapter": "x.md", "source_sha256": "0", "measured": [[0, 26, "0.31"]]}
    return nbformat.from_dict(made)


def changed(notebook, source, value):
    copy = nbformat.from_dict(json.loads(json.dumps(notebook)))
    copy.cells[0].source = source
    copy.metadata.shattered.measured = [[0, source.index(value), value]]
    return copy


def test_another_measured_value_is_fresh(notebook):
    other = changed(notebook, "**Theorem 1.2.** We found 0.3214.", "0.3214")
    assert without_measured(other) == without_measured(notebook)


def test_another_number_is_not_fresh(notebook):
    other = changed(notebook, "**Theorem 1.3.** We found 0.31.", "0.31")
    assert without_measured(other) != without_measured(notebook)


def test_edit_by_hand_is_seen(notebook):
    notebook.cells[0].source = "**Theorem 1.2.** We found 0.99."
    with pytest.raises(ValueError, match="edited by hand"):
        without_measured(notebook)


def test_code_cell_inside_of_a_table_is_seen():
    with pytest.raises(ValueError, match="code cell 3: it stands where Markdown has no place for one"):
        joined(["text", CodeCell(3)])


def translated(tmp_path, content: nodes.Element) -> list:
    """The blocks of a page of that content."""
    env = SimpleNamespace(srcdir=tmp_path, get_and_resolve_doctree=lambda *_: nodes.container("", content))
    app = SimpleNamespace(env=env, builder=SimpleNamespace(get_target_uri=lambda name: f"{name}.html"))
    return Page(app, "x", "https://book.example").blocks()


@pytest.mark.parametrize(
    ("starts", "summary"),
    [
        ("D.", "The vote: the answer"),
        ("B", "The vote: the answer"),
        ("The second prediction.", "The second prediction: the answer"),
        ("The prediction of the beginning.", "The prediction of the beginning: the answer"),
        ("Fair controls.", None),
        ("A path.", None),
    ],
)
def test_answer_to_a_vote_or_a_prediction_is_folded(tmp_path, starts, summary):
    """In a notebook, where the cell that would show it has yet to be run."""
    said = nodes.paragraph("", "", nodes.strong("", starts), nodes.Text(" It shatters."))
    text = f"**{starts}** It shatters."
    folded = f"<details>\n<summary>{summary}</summary>\n\n{text}\n\n</details>"
    assert translated(tmp_path, nodes.section("", said)) == [folded if summary else text]
    assert translated(tmp_path, nodes.container("", said.deepcopy())) == [text]  # in a fold already, or in a box


def test_drawing_comes_with_the_notebook(tmp_path):
    """It needs no network, nor a book that is published."""
    (tmp_path / "drawing.png").write_bytes(b"\x89PNG")
    figure = nodes.figure("", nodes.image(uri="drawing.svg", alt="Three strokes."))
    [block] = translated(tmp_path, figure)
    assert block.startswith("![Three strokes.](data:image/png;base64,")
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(f"Look:\n\n{block}")])
    assert pictures_in_notebook(made) == [b"\x89PNG"]


def test_picture_that_lies_elsewhere_is_seen():
    cell = nbformat.v4.new_markdown_cell("![Three strokes.](https://book.example/_images/drawing.svg)")
    with pytest.raises(AssertionError):
        pictures_in_notebook(nbformat.v4.new_notebook(cells=[cell]))


@pytest.mark.parametrize(("before", "after"), [("", ""), ("", ","), ("(", ")."), ("", "-th")])
def test_formula_keeps_its_marks(before, after):
    made = f'<span class="math notranslate nohighlight">{formula("a < b", False)}</span>'
    [kept] = FORMULA_AND_MARK.findall(f"<p>word {before}{made}{after} word <span>no formula</span>, word</p>")
    assert kept == f"{before}{made}{after}"


def test_every_chapter_has_the_header():
    assert without_header(list((ROOT / "book").glob("*.md"))) == []


@pytest.mark.parametrize(
    "header", ["", HEADER.replace("python3", "conda-env"), "---\nkernelspec: {name: python3}\n---\n"]
)
def test_wrong_header_is_seen(tmp_path, header):
    chapter = tmp_path / "x.md"
    chapter.write_text(header + "\n# Title\n\n```{code-cell} python3\n1\n```\n")
    assert without_header([chapter]) == [chapter]


def test_changed_chapter_makes_its_notebook_stale(tmp_path, notebook):
    nbformat.write(notebook, tmp_path / "01-x.ipynb")
    for name in ("x", "y"):
        (tmp_path / f"{name}.md").write_text("---\nkernelspec:\n  name: python3\n---\n")
    assert stale(tmp_path, tmp_path) == ["y.md has no notebook", "01-x.ipynb was made from another x.md"]
