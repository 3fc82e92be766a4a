"""A folder for a teacher, ``_build/course``, from the book as built: ``python -m tools.course``."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat

from tools import exam, figures, slides, students
from tools.colab import BUILT, notebook_names
from tools.site import ROOT

COURSE = ROOT / "_build" / "course"


def write_notebooks(folder: Path) -> None:
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


def write(folder: Path) -> None:
    """All of it; a folder that is there is replaced only when the new one is whole."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        new = Path(work) / "course"
        new.mkdir()
        write_notebooks(new)
        figures.write(new / "figures")
        slides.build(Path(work) / "slides", new / "lectures", new / "figures")
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
