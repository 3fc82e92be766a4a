"""A chapter's notebook taken apart: what a student gets, the solutions apart, and its checked exercises.

All is read from the notebooks that the build made of the chapters, so nothing here can say anything else.
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from tools.colab import FOLDED, SOLVES, cell_id, install_cell

SOLUTION = re.compile(r"<details>\n<summary>Solution</summary>\n\n(.*?)\n\n</details>(?:\n\n|$)", re.DOTALL)
QUESTION = re.compile(r"^> \*\*Exercise .*?(?=\n\n(?!> )|\Z)", re.DOTALL | re.MULTILINE)
CHECK = re.compile(r"""exercises\.check\(\s*["']([^"']+)["'], answer\)""")


def is_solution(cell: NotebookNode) -> bool:
    """Whether it is code that a solution holds."""
    return bool(cell.cell_type == "code" and cell.source.startswith(SOLVES))


def is_blank(cell: NotebookNode) -> bool:
    """Whether it is the cell in which a reader answers."""
    return cell.cell_type == "code" and not is_solution(cell) and CHECK.search(cell.source) is not None


def with_cells(notebook: NotebookNode, cells: list[NotebookNode]) -> NotebookNode:
    """A notebook of these cells. What the book's tools keep of the whole one is not true of a part."""
    part = deepcopy(notebook)
    part.cells = [deepcopy(cell) for cell in cells]
    part.metadata.pop("shattered", None)
    return part


def for_students(notebook: NotebookNode) -> NotebookNode:
    """The same without solutions."""
    kept = []
    for cell in with_cells(notebook, notebook.cells).cells:
        if cell.cell_type == "markdown":
            cell.source = SOLUTION.sub("", cell.source).strip()
        if cell.source and not is_solution(cell):
            kept.append(cell)
    part = with_cells(notebook, kept)
    text = "\n".join(cell.source for cell in part.cells if cell.cell_type == "markdown")
    if "<summary>Solution" in text or text.count("<details>") != text.count("</details>"):
        raise ValueError(f"{notebook.cells[0].source}: a solution is not where it can be taken out")
    return part


def solutions(notebook: NotebookNode) -> NotebookNode | None:
    """Exercises and solutions alone, behind the chapter's code, folded, on which they rest. None if there are none."""
    title = notebook.cells[0].source.split("\n")[0]
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and not (is_solution(cell) or is_blank(cell))]
    answers = []
    for cell in notebook.cells:
        if is_solution(cell):
            answers.append(new_code_cell(cell.source.removeprefix(SOLVES)))
        elif cell.cell_type == "markdown":
            found = sorted([*QUESTION.finditer(cell.source), *SOLUTION.finditer(cell.source)], key=lambda m: m.start())
            text = [f"**Solution.** {m[1]}" if m.re is SOLUTION else m[0] for m in found]
            answers += [new_markdown_cell("\n\n".join(text))] if text else []
    if not any(SOLUTION.search(cell.source) for cell in notebook.cells if cell.cell_type == "markdown"):
        return None
    first = new_markdown_cell(f"{title}: solutions\n\nThe chapter's code comes first, folded: solutions rest on it.")
    folded = [new_code_cell(cell.source, metadata=FOLDED if cell.source != install_cell() else {}) for cell in code]
    part = with_cells(notebook, [first, *folded, *answers])
    for position, cell in enumerate(part.cells):
        cell.id = cell_id(f"{title}: solutions", position, cell.source)
    return part


@dataclass(frozen=True)
class Question:
    """A checked exercise: the name by which the package knows it, its text with title and grade, its solution."""

    name: str
    text: str
    solution: str


def questions(notebook: NotebookNode) -> list[Question]:
    """Each checked exercise of a notebook, in order."""
    found = []
    for position, cell in enumerate(notebook.cells):
        if is_blank(cell):
            above = notebook.cells[position - 1].source
            text = re.sub(r"^> ?", "", QUESTION.findall(above)[-1], flags=re.MULTILINE)
            [name] = CHECK.findall(cell.source)
            found.append(Question(name, text, solution_after(notebook, position)))
    return found


def solution_after(notebook: NotebookNode, position: int) -> str:
    """Text and code of the solution that follows a blank cell."""
    parts = []
    for cell in notebook.cells[position + 1 :]:
        if cell.cell_type == "code":
            if not is_solution(cell):
                break
            parts.append(f"```python\n{cell.source.removeprefix(SOLVES).strip()}\n```")
        else:
            question = QUESTION.search(cell.source)
            text = cell.source[: question.start()] if question else cell.source
            parts += SOLUTION.findall(text if text.endswith("\n\n") else f"{text}\n\n")
            if question or not SOLUTION.search(text):
                break
    return "\n\n".join(parts)
