"""A folder for a teacher, ``_build/course``, from the book as built: ``python -m tools.course``."""

import argparse
import re
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat

from tools import assignments, exam, figure_files, slides, students
from tools.cards import TITLE
from tools.colab import BUILT, notebook_names
from tools.site import ROOT, address

COURSE = ROOT / "_build" / "course"
PAGE = "for-teachers"


def write_chapters(folder: Path) -> None:
    """Notebooks for students, solutions and exam bank, in reading order."""
    for name in ("student", "solutions", "exam"):
        (folder / name).mkdir()
    bank = []
    for name in sorted(notebook_names().values()):
        notebook = nbformat.read(BUILT / f"{name}.ipynb", as_version=4)
        nbformat.write(students.for_students(notebook), folder / "student" / f"{name}.ipynb")
        if solved := students.solutions(notebook):
            nbformat.write(solved, folder / "solutions" / f"{name}.ipynb")
        bank.append((notebook.cells[0].source.split("\n")[0].removeprefix("# "), students.questions(notebook)))
    for file, text in zip(("questions.md", "answers.md"), exam.bank(bank), strict=True):
        (folder / "exam" / file).write_text(text)


def write_assignments(folder: Path) -> None:
    """For students, and for teachers."""
    folder.mkdir()
    for name, source in assignments.sources().items():
        nbformat.write(assignments.notebook(name, source, solved=False), folder / f"{name}.ipynb")
        nbformat.write(assignments.notebook(name, source, solved=True), folder / f"{name}-solution.ipynb")


def readme(plans: dict[str, list[slides.Stage]], root: Path = ROOT) -> str:
    """The book's page for teachers, to be read outside the book, and the lectures minute by minute."""
    text = (root / "book" / f"{PAGE}.md").read_text()

    def link(match: re.Match[str]) -> str:
        [title] = TITLE.findall((root / "book" / f"{match[1]}.md").read_text())
        return f"[{title}]({address('Homepage', root)}/{match[1]}.html)"

    text = re.sub(r"\{doc\}`([\w-]+)`", link, text)
    text = re.sub(r"\{ref\}`([^<`]+) <[\w-]+>`", r"*\1*", text)
    if left := re.search(r"\{[\w:]+\}`[^`]*`", text):
        raise ValueError(f"{PAGE}.md: {left[0]} has no form outside the book")
    for name, stages in plans.items():
        rows = [f"| {first} to {last} | {title} |" for first, last, title in stages]
        text += "\n".join(["", f"## Minute by minute: {name}", "", "| minutes | slide |", "|---|---|", *rows, ""])
    return text


def write(folder: Path) -> None:
    """All of it; a folder that is there is replaced only when the new one is whole."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        new = Path(work) / "course"
        new.mkdir()
        write_chapters(new)
        write_assignments(new / "assignments")
        figure_files.write(new / "figures")
        plans = slides.build(Path(work) / "slides", new / "lectures", new / "figures")
        (new / "README.md").write_text(readme(plans))
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)


def main() -> None:
    """Write it where the build lies."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    if not BUILT.is_dir():
        sys.exit("_build/notebooks does not exist: run `make book` first.")
    write(COURSE)
    print(f"{COURSE.relative_to(ROOT)}: begin with README.md")


if __name__ == "__main__":
    main()
