"""What checks print is folded on the pages: one line says how many agree, and opens."""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

PASSED = re.compile(r": (agrees|holds)$")


def pieces(block: nodes.literal_block) -> Iterator[nodes.Node]:
    """The lines of an output in their order, those of checks behind a line that says how many they are."""
    for passed, lines in groupby(block.astext().rstrip("\n").split("\n"), key=lambda line: bool(PASSED.search(line))):
        written = list(lines)
        piece = block.deepcopy()
        piece.children = []
        piece.rawsource = "\n".join(written)
        piece += nodes.Text(piece.rawsource)
        if not passed:
            yield piece
            continue
        many = len(written) > 1
        count = f"{len(written)} checks agree" if many else "1 check agrees"
        yield nodes.raw("", f'<details class="checks"><summary>{count}</summary>', format="html")
        yield piece
        yield nodes.raw("", "</details>", format="html")


def fold_checks(_app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """Of every output that has lines of checks."""
    for output in list(doctree.findall(nodes.container)):
        if "cell_output" not in output["classes"]:
            continue
        for block in list(output.findall(nodes.literal_block)):
            if any(PASSED.search(line) for line in block.astext().split("\n")):
                block.replace_self(list(pieces(block)))


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx call this module."""
    app.connect("doctree-resolved", fold_checks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
