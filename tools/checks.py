"""What checks print is folded on the pages: one line says how many agree, and opens. Printed tables keep their columns.

What an exercise says to a reader who has not answered yet is left out: on a page nobody was asked to run its cell.
"""

import re
from collections import Counter
from collections.abc import Iterator
from html import escape
from itertools import groupby
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

PASSED = re.compile(r": (agrees|holds)$")
LINE = re.compile(r"(.+)(: )((?:predicted|error) .+)(: )(agrees|holds)")
PARTS = ("name", "colon", "said", "colon", "verdict")
COLUMNS = re.compile(r"\S {2,}\S")
NUMBER = re.compile(r"-?\d[\d.e+-]*")
UNANSWERED = re.compile(r"(No answer yet: .*\n?)+")


def in_parts(line: str) -> str:
    """HTML of a line, from whose parts a phone makes a row of a list (``book.css``)."""
    if not (match := LINE.fullmatch(line)):
        return escape(f"{line}\n")
    parts = "".join(
        f'<span class="{part}">{escape(text)}</span>' for part, text in zip(PARTS, match.groups(), strict=True)
    )
    return f'<span class="check">{parts}\n</span>'


def fold(lines: list[str]) -> nodes.raw:
    """These lines behind one that counts them. One piece of HTML: a raw node for each end would be closed by itself."""
    count = f"{len(lines)} checks agree" if len(lines) > 1 else "1 check agrees"
    text = "".join(map(in_parts, lines))
    return nodes.raw(
        "",
        f'<details class="checks"><summary>{count}</summary>'
        f'<div class="output stream highlight-none notranslate"><div class="highlight"><pre>{text}</pre></div></div>'
        "</details>",
        format="html",
    )


def pieces(block: nodes.literal_block) -> Iterator[nodes.Node]:
    """The lines of an output in their order, those of checks folded."""
    for passed, lines in groupby(block.astext().rstrip("\n").split("\n"), key=lambda line: bool(PASSED.search(line))):
        written = list(lines)
        if passed:
            yield fold(written)
            continue
        piece = block.deepcopy()
        piece.children = []
        piece.rawsource = "\n".join(written)
        piece += nodes.Text(piece.rawsource)
        yield piece


def keep_columns(output: nodes.container) -> None:
    """Two lines with gaps, or three that differ in labels and numbers alone, are not to wrap."""
    for block in output.findall(nodes.literal_block):
        lines = block.astext().split("\n")
        alike = Counter(NUMBER.sub("#", line.rpartition(": ")[2]) for line in lines if NUMBER.search(line))
        if sum(bool(COLUMNS.search(line)) for line in lines) > 1 or max(alike.values(), default=0) > 2:
            block["classes"].append("columns")


def fold_checks(app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """Of every output that has lines of checks, where pages can fold."""
    if app.builder.format != "html":
        return
    for output in list(doctree.findall(nodes.container)):
        if "cell_output" not in output["classes"]:
            continue
        for block in list(output.findall(nodes.literal_block)):
            if UNANSWERED.fullmatch(block.astext()):
                output.remove(block)
            elif any(PASSED.search(line) for line in block.astext().split("\n")):
                block.replace_self(list(pieces(block)))
        keep_columns(output)
        if not output.children:
            output.parent.remove(output)


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx call this module."""
    app.connect("doctree-resolved", fold_checks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
