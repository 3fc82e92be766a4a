"""The start page says of each chapter what the chapter says, and claims only what the book holds."""

import re

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

from tools import cards
from tools.colab import colab_link, notebook_names
from tools.site import ROOT, address, numbered_chapters, numbered_parts

CHAPTERS = numbered_chapters()
INDEX = (ROOT / "book" / "index.md").read_text()


def test_the_map_says_what_the_ledger_says():
    ledger = {entry["label"]: entry["status"] for entry in yaml.safe_load((ROOT / "book" / "claims.yml").read_text())}
    rows = {row[1]: row[0] for row in re.finditer(r"^\| .*{prf:ref}`(.+?)` \|$", INDEX, re.MULTILINE)}
    assert len(rows) == 11
    for label, row in rows.items():
        assert ledger[label].startswith(
            "holds only under infinite width" if "infinitely wide" in row else "proved here"
        )


@pytest.mark.parametrize("missing", ["# Theorem", "**It takes** 70", "**Difficulty** 2"])
def test_a_chapter_that_does_not_say_is_named(tmp_path, monkeypatch, missing):
    text = "# Theorem\n\n- **It takes** 70 minutes to read.\n- **Difficulty** 2 of 3.\n"
    (tmp_path / "book").mkdir()
    chapter = tmp_path / "book" / "x.md"
    monkeypatch.setattr(cards, "ROOT", tmp_path)
    chapter.write_text(text)
    assert cards.facts("x") == ("Theorem", "70", "2")
    chapter.write_text(text.replace(missing, ""))
    with pytest.raises(ValueError, match=r"x\.md: its first box must say"):
        cards.facts("x")


def test_each_chapter_has_a_card(html):
    page = BeautifulSoup((html / "index.html").read_text(), "html.parser")
    shown = []
    for card in page.select("article .sd-card"):
        minutes, difficulty = re.findall(r"(\d+) minutes, difficulty\s(\d)\sof\s3", card.get_text())[0]
        title = card.select_one(".sd-card-title").get_text(strip=True)
        shown.append((card.a["href"], title, minutes, difficulty))
        assert (html / card.img["src"]).is_file()
    assert shown == [(f"{page}.html", *cards.facts(page)) for page in CHAPTERS]


def test_the_buttons_lead_to_the_sitting(html):
    page = BeautifulSoup((html / "index.html").read_text(), "html.parser")
    read, colab = [link["href"] for link in page.select("article a.sd-btn")]
    assert read == "one-sitting.html"
    assert colab.endswith("/notebooks/00-one-sitting.ipynb")
    assert (ROOT / "notebooks" / "00-one-sitting.ipynb").is_file()


def test_the_notebook_lists_the_chapters():
    """By part, each with its number and its facts; a line leads to the notebook and to the page."""
    notebook = nbformat.read(ROOT / "notebooks" / "index.ipynb", as_version=4)
    [listed] = [cell.source for cell in notebook.cells if cell.source.startswith("## The chapters")]
    lines = []
    for number, page in enumerate(CHAPTERS, start=1):
        title, minutes, difficulty = cards.facts(page)
        link, whole = colab_link(notebook_names()[page]), f"{address('Homepage')}/{page}.html"
        facts = f"{minutes} minutes, difficulty {difficulty} of 3"
        lines.append(f"{number}. [{title}]({link}): {facts} ([page]({whole}))")
    assert re.findall(r"^\d+\. .*", listed, re.MULTILINE) == lines
    assert re.findall(r"^\*\*(.+)\*\*$", listed, re.MULTILINE) == list(numbered_parts())
