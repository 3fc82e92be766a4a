"""What checks print is folded to one line on the pages; all that stands beside it stays, but for empty answers."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.utils import new_document

from tools import checks

AGREES = "variance: predicted 1, measured 1.01 ± 0.02 (n = 9, z = 0.5): agrees"
HOLDS = "closed form: error 1e-9, allowed 1e-8: holds"


def folded(text: str, builder: str = "html") -> list[str]:
    """The pieces of an output, in their order."""
    page = new_document("page", get_default_settings())
    output = nodes.container(classes=["cell_output"])
    output += nodes.literal_block(text, text)
    page += output
    checks.fold_checks(SimpleNamespace(builder=SimpleNamespace(format=builder)), page, "page")
    return [piece.astext() for piece in output.children]


@pytest.mark.parametrize(("text", "count"), [(AGREES, "1 check agrees"), (f"{AGREES}\n{HOLDS}\n", "2 checks agree")])
def test_checks_are_counted_and_behind_a_fold(text: str, count: str) -> None:
    [fold] = folded(text)
    soup = BeautifulSoup(fold, "html.parser")
    assert soup.details["class"] == ["checks"]
    assert soup.details.summary.text == count
    assert soup.details.pre.text == text.rstrip("\n") + "\n"
    assert [each.text for each in soup.select(".check > .verdict")] == re.findall("agrees|holds", text)


def test_parts_of_a_check_are_its_name_numbers_and_verdict() -> None:
    soup = BeautifulSoup(checks.in_parts("relu: p < 1 + index: error 0.0e+00, allowed 1e-10: holds"), "html.parser")
    parts = [each.text for each in soup.find(class_="check").find_all("span")]
    assert parts == ["relu: p < 1 + index", ": ", "error 0.0e+00, allowed 1e-10", ": ", "holds"]
    assert checks.in_parts("a < b: agrees") == "a &lt; b: agrees\n"


def test_other_lines_stay_in_their_order() -> None:
    first, fold, last = folded(f"before\n{AGREES}\nafter")
    assert (first, last) == ("before", "after")
    assert "variance" in fold


def test_an_output_without_checks_is_left_alone() -> None:
    assert folded("L = 3: R = 0.125\nall of it agrees") == ["L = 3: R = 0.125\nall of it agrees"]


@pytest.mark.parametrize(
    ("text", "so"),
    [
        ("L    R\n1  0.5", ["columns"]),
        ("a sentence\nand one more", []),
        ("one  line", []),
        (f"a  1\nb  2\n{AGREES}", ["columns"]),
        ("few: loss 2.1 to 0.1\nmore: loss 3 to 2\nmost: loss 1e-3 to 0", ["columns"]),
        ("few: loss 2.1 to 0.1\nmore: loss 3 to 2", []),
        ("few: it is 0.1\nmore: there are 3\nmost: at 1e-3", []),
    ],
)
def test_a_printed_table_keeps_its_columns(text: str, so: list[str]) -> None:
    page = new_document("page", get_default_settings())
    output = nodes.container("", nodes.literal_block(text, text), classes=["cell_output"])
    page += output
    checks.fold_checks(SimpleNamespace(builder=SimpleNamespace(format="html")), page, "page")
    assert output.children[0]["classes"] == so


UNANSWERED = "No answer yet: put yours in place of None and run the cell again.\n"


@pytest.mark.parametrize("text", [UNANSWERED, UNANSWERED + UNANSWERED])
def test_an_exercise_without_an_answer_says_nothing_on_a_page(text: str) -> None:
    page = new_document("page", get_default_settings())
    cell = nodes.container("", nodes.container("", nodes.literal_block(text, text), classes=["cell_output"]))
    page += cell
    checks.fold_checks(SimpleNamespace(builder=SimpleNamespace(format="html")), page, "page")
    assert cell.children == []


def test_paper_does_not_fold() -> None:
    assert folded(AGREES, "latex") == [AGREES]
