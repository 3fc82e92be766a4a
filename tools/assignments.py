"""Assignments from ``book/course/assignment-*.md``: a notebook for students, and one with solutions and rubric.

A cell that is tagged ``solution`` is for teachers. The one tagged ``install`` gets the book's install cell.
"""

from __future__ import annotations

from pathlib import Path

import jupytext
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from shattered_lite.exercises import ASSIGNMENTS, Assignment
from tools.colab import KERNEL, cell_id, install_cell
from tools.site import ROOT

SOURCES = ROOT / "book" / "course"


def rubric(assignment: Assignment) -> str:
    """A table of all points, checked and by hand."""
    checked = [f"| `{task.answer}` | {task.points} | checked by `{task.exercise}` |" for task in assignment.tasks]
    by_hand = [f"| {part.name} | {part.points} | {part.rubric} |" for part in assignment.by_hand]
    whole = sum(task.points for task in assignment.tasks) + sum(part.points for part in assignment.by_hand)
    lines = ["## Rubric", "", "| task | points | given for |", "|---|---:|---|", *checked, *by_hand]
    return "\n".join([*lines, f"| together | {whole} | |"])


def notebook(name: str, source: NotebookNode, solved: bool) -> NotebookNode:
    """The assignment as a notebook without tags; solutions and rubric only where it is ``solved``."""
    cells = []
    for cell in source.cells:
        tags = cell.metadata.get("tags", [])
        if "solution" in tags and not solved:
            continue
        text = install_cell() if "install" in tags else cell.source
        cells += [new_code_cell(text) if cell.cell_type == "code" else new_markdown_cell(text)] if text else []
    if solved:
        cells.append(new_markdown_cell(rubric(ASSIGNMENTS[name])))
    for position, cell in enumerate(cells):
        cell.id = cell_id(f"{name} {solved}", position, cell.source)
    made: NotebookNode = new_notebook(cells=cells, metadata={"kernelspec": KERNEL})
    return made


def sources() -> dict[str, NotebookNode]:
    """Each assignment by its name."""
    return {name: jupytext.read(Path(SOURCES, f"assignment-{name}.md")) for name in ASSIGNMENTS}
