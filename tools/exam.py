"""An exam bank from the checked exercises: every one that is added to a chapter, and to the package, is in it.

Where the answer is a number, it is a question with choices, and the wrong ones are the usual mistakes that the package
knows. Where it is a function, the answer is open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from random import Random
from string import ascii_uppercase
from typing import Any

from shattered_lite.exercises import EXERCISES, Exercise
from tools.students import Question

INTRODUCTION = """\
# {title}

Made from the checked exercises of the book, in its order. *Warm-up* questions take three minutes, *work* ten to
twenty. Numbers of equations and theorems are those of the book, and an exercise may rest on the one before: read a
question once before you use it. The book holds the solutions, folded, and so does anybody who has read it; turn a
number in the question, and the solution shows what the answer becomes.
"""


def number(value: float) -> str:
    """As one would write it: four digits that count, of a whole number all."""
    if value == float("inf"):
        return "infinite"
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e7 else f"{value:.4g}"


def choices(name: str, exercise: Exercise) -> list[tuple[float, str]]:
    """Right and usual wrong answers in an order of chance that stays, each with what the package says to it.

    Nothing is said to the right one.
    """
    given: Any = [(exercise.answer, ""), *exercise.mistakes]
    found = [(float(value), hint) for value, hint in given]
    Random(name).shuffle(found)
    return found


def on_paper(question: Question) -> str:
    """Its text, less what it says of the cell that checks it."""
    return re.sub(r"\s*\(The cell checks (?:\$[^$]*\$|[^()$])*\)", "", question.text)


def asked(question: Question) -> str:
    """The question as students see it."""
    exercise = EXERCISES[question.name]
    if callable(exercise.answer):
        return on_paper(question)
    offered = [
        f"- {letter}. {number(value)}"
        for letter, (value, _) in zip(ascii_uppercase, choices(question.name, exercise), strict=False)
    ]
    return "\n".join([on_paper(question), "", *offered])


def answered(question: Question) -> str:
    """Its answer, what each wrong choice shows, and the solution."""
    exercise = EXERCISES[question.name]
    lines = []
    if not callable(exercise.answer):
        for letter, (value, hint) in zip(ascii_uppercase, choices(question.name, exercise), strict=False):
            lines.append(f"- {letter}. {number(value)}: {hint or '**right**'}")
    return "\n".join([on_paper(question), "", *lines, "", question.solution])


def bank(chapters: Iterable[tuple[str, list[Question]]]) -> tuple[str, str]:
    """Two texts in Markdown: the questions of each chapter, by title, and the answers."""
    questions, answers = INTRODUCTION.format(title="Exam bank"), INTRODUCTION.format(title="Exam bank: answers")
    for title, found in chapters:
        if found:
            questions += "\n".join(["", f"## {title}", "", "\n\n".join(map(asked, found)), ""])
            answers += "\n".join(["", f"## {title}", "", "\n\n".join(map(answered, found)), ""])
    return questions, answers
