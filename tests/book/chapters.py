"""The chapters' own code, cell by cell, so that tests run what readers run and not a copy of it."""

from __future__ import annotations

import contextlib
import io
import re
from functools import cache
from pathlib import Path

import jupytext
import matplotlib
import torch

matplotlib.use("Agg")

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "book"
SEED = re.compile(r"manual_seed\(\d+\)")


@cache
def cells(chapter: str) -> list[tuple[tuple[str, ...], str]]:
    """Tags and source of each code cell of a chapter."""
    notebook = jupytext.read(BOOK / f"{chapter}.md")
    return [(tuple(cell.metadata.get("tags", [])), cell.source) for cell in notebook.cells if cell.cell_type == "code"]


@cache
def claims() -> dict[str, str]:
    """The chapter of each label that has a check, in reading order of the files."""
    found = {}
    for path in sorted(BOOK.glob("*.md")):
        if path.read_text().startswith("---\njupytext"):
            for tags, _ in cells(path.stem):
                found |= {tag.removeprefix("claim-"): path.stem for tag in tags if tag.startswith("claim-")}
    return found


def run_claim(label: str, seed: int | None = None) -> str:
    """Run a chapter's set-up and the cells that check one statement; return what they print.

    A seed replaces the chapter's own.
    """
    chapter = claims()[label]
    printed, namespace = io.StringIO(), {"__name__": "__main__"}
    chosen = [source for tags, source in cells(chapter) if "setup" in tags or f"claim-{label}" in tags]
    if seed is not None:
        replaced = [SEED.subn(f"manual_seed({seed})", source) for source in chosen]
        assert sum(count for _, count in replaced) == 1, f"{chapter}: one seed, in its set-up, decides everything"
        chosen = [source for source, _ in replaced]
    threads = torch.get_num_threads()
    try:
        with contextlib.redirect_stdout(printed):
            for source in chosen:
                exec(compile(source, f"{chapter}.md", "exec"), namespace)
    finally:  # a chapter may set up its process as it likes; this one runs other tests
        torch.set_num_threads(threads)
        torch.set_flush_denormal(False)
    return printed.getvalue()
