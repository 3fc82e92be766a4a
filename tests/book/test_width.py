"""Lines of prose are short enough for a diff to show what has changed in them."""

from __future__ import annotations

import re

import pytest
from chapters import BOOK

WIDTH = 120
MADE = ("claim-ledger", "practice")
ONE_LINE = re.compile(r"^\s*([|#:%(`]|\{|-? ?alt:)")  # tables, headings, options, labels, fences
FORMULA = re.compile(r"\$[^$]*\$")  # cannot be broken
PAGES = [path.stem for path in sorted(BOOK.glob("*.md")) if path.stem not in MADE]


def long_lines(text: str) -> list[str]:
    """Of prose, that is, outside code, formulas and what must stand in one line."""
    found, code, formula = [], "", False
    for line in text.split("\n"):
        fence = re.match(r"^\s*(`{3,})(\{code-cell\}|\{eval-rst\}|text|bibtex|python)?", line)
        if code:
            code = "" if line.strip() == code else code
        elif fence and fence[2]:
            code = fence[1]
        elif line.strip().startswith("$$"):
            formula = not formula
        elif not formula and len(FORMULA.sub("$", line)) > WIDTH and not ONE_LINE.match(line):
            found.append(line)
    return found


@pytest.mark.parametrize("page", PAGES)
def test_lines_of_prose_are_short(page: str) -> None:
    assert long_lines((BOOK / f"{page}.md").read_text()) == []


def test_a_long_line_is_seen_and_a_formula_is_not() -> None:
    long = "word " * 30
    assert long_lines(f"{long}\n\n$$\n{long}\n$$ (eq-x)\n\n```{{code-cell}} python3\n{long}\n```\n{long}") == [
        long,
        long,
    ]
