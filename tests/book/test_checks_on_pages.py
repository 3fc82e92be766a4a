"""What checks print is folded to one line on the pages; all that stands beside it stays."""

from __future__ import annotations

import pytest
from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.utils import new_document

from tools import checks

AGREES = "variance: predicted 1, measured 1.01 ± 0.02 (n = 9, z = 0.5): agrees"
HOLDS = "closed form: error 1e-9, allowed 1e-8: holds"


def folded(text: str) -> list[str]:
    """The pieces of an output, and what HTML stands between them."""
    page = new_document("page", get_default_settings())
    output = nodes.container(classes=["cell_output"])
    output += nodes.literal_block(text, text)
    page += output
    checks.fold_checks(None, page, "page")
    return [piece.astext() for piece in output.children]


@pytest.mark.parametrize(("text", "count"), [(AGREES, "1 check agrees"), (f"{AGREES}\n{HOLDS}\n", "2 checks agree")])
def test_checks_are_counted_and_behind_a_fold(text: str, count: str) -> None:
    assert folded(text) == [
        f'<details class="checks"><summary>{count}</summary>', text.rstrip("\n"), "</details>",
    ]  # fmt: skip


def test_other_lines_stay_in_their_order() -> None:
    first, *_, last = folded(f"before\n{AGREES}\nafter")
    assert (first, last) == ("before", "after")


def test_an_output_without_checks_is_left_alone() -> None:
    assert folded("L = 3: R = 0.125\nall of it agrees") == ["L = 3: R = 0.125\nall of it agrees"]
