"""The page of all predictions and exercises, which ``python -m tools.practice`` makes of the chapters.

It is ``book/practice.md``. With ``--check`` nothing is written, and a page that is not fresh is an error.
"""

import argparse
import re
import sys
from pathlib import Path

from tools.cards import TITLE
from tools.site import ROOT, with_code

PAGE = "practice"
PREDICTION = re.compile(r"^:::\{admonition\} Predict first\n:class: hint\n(.*?)^:::$", re.MULTILINE | re.DOTALL)
EXERCISE = re.compile(r"^```\{exercise-start\} (.+) \((warm-up|work|open)(?:: .+)?\)\n:label: (\S+)$", re.MULTILINE)
SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
GRADES = ("warm-up", "work", "open")

INTRODUCTION = """\
% Made by `make book` from the chapters. Edit those.

# Predictions and exercises

All in one place: for a reader who wants to practise, and for a teacher who looks for a question. A *prediction* stands
before its answer in the chapter; make it before you read on. *Warm-up* exercises ask to read off or to substitute,
*work* to derive, to prove or to find a fault, *open* ones to design an experiment or to judge somebody's. Most have a
cell that checks an answer and knows the usual wrong ones; all have solutions.
"""


def exercises(text: str) -> list[tuple[str, str, str]]:
    """Title, grade and label of each exercise of a chapter, in its order."""
    found: list[tuple[str, str, str]] = EXERCISE.findall(text)
    started = text.count("{exercise-start}")
    if len(found) != started:
        raise ValueError(
            f"{started} exercises, but {len(found)} with a grade in their title: (warm-up), (work) or (open)"
        )
    return found


def part(name: str, root: Path) -> str:
    """What one chapter asks; empty if it asks nothing."""
    text = (root / "book" / f"{name}.md").read_text()
    predictions, found, title = list(PREDICTION.finditer(text)), exercises(text), TITLE.findall(text)[0]
    lines = [f"## {{doc}}`{title} <{name}>`", ""]
    for prediction in predictions:
        section = [title, *SECTION.findall(text, 0, prediction.start())][-1]
        lines += [f"::::{{dropdown}} Prediction in *{section}*", prediction[1].strip(), "::::", ""]
    for grade in GRADES:
        links = [f"{{ref}}`{title} <{label}>`" for title, given, label in found if given == grade]
        if links:
            lines += [f"- *{grade.capitalize()}*: {', '.join(links)}."]
    return "\n".join([*lines, ""]) if predictions or found else ""


def page(root: Path = ROOT) -> str:
    """The whole page, in reading order."""
    return "\n".join([INTRODUCTION, *filter(None, (part(name, root) for name in with_code(root)))])


def main() -> None:
    """Write or check the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if the page is not fresh")
    only_check = parser.parse_args().check
    file, fresh = ROOT / "book" / f"{PAGE}.md", page()
    if not only_check:
        file.write_text(fresh)
    elif not file.exists() or file.read_text() != fresh:
        sys.exit(f"book/{PAGE}.md is not fresh: run `make notebooks`, then commit it.")


if __name__ == "__main__":
    main()
