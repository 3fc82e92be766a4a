"""An exam bank from the checked exercises: every one that is added to a chapter, and to the package, is in it.

Where the answer is a number, it is a question with choices, and the wrong ones are the usual mistakes that the package
knows. Where it is a function, the answer is open. Of a question with several parts the chapter says which one its cell
checks: the choices belong to that. What a question needs is read from its text and its solution.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import floor, inf, log2, log10
from random import Random
from string import ascii_uppercase
from typing import Any

from shattered_lite.exercises import EXERCISES, Exercise
from tools.students import Question

INTRODUCTION = """\
# {title}

Made from the checked exercises of the book, in its order. *Warm-up* questions take three minutes, *work* ten to
twenty. Each says what it needs: *closed book* (what the chapter defines is known, and a pocket calculator is there),
*with the book* (it names a theorem, an equation or an exercise of the book), or *with a computer*. Where a question has
several parts, a line above the choices says to which they belong. Numbers of equations and theorems are those of the
book, and an exercise may rest on the one before: read a question once before you use it. The book holds the solutions,
folded, and so does anybody who has read it; turn a number in the question, and the solution shows what the answer
becomes.
"""
CHECKED = re.compile(r"\s*\(The cell checks\s+((?:\$[^$]*\$|[^()$])*)\)")
GLOSSED = re.compile(r"\]\(\S*(?:glossary|references)\.html\S*\)")  # a link that only says what a word means
OF_THE_BOOK = re.compile(
    r"\]\(http|\b(?:Theorem|Proposition|Lemma|Corollary|Table) \d|"
    r"\b(?:the drawing|in the proof|exercise before|like ours)\b"
)
OF_THE_PACKAGE = re.compile(r"\bsl\.|shattered_lite")
REPEATS = re.compile(r"\b(?:for|while)\b")


def code(question: Question) -> str:
    """The solution's code as far as the line that makes the answer; what follows only checks it."""
    cells = "\n".join(re.findall(r"```python\n(.*?)```", question.solution, re.DOTALL))
    handed_in = re.search(r"exercises\.check\(\s*\"[^\"]*\",\s*(\w+)\s*\)", cells)
    lines = [line for line in cells.split("\n") if "exercises.check(" not in line]
    made = [n for n, line in enumerate(lines, start=1) if handed_in and line.lstrip().startswith(f"{handed_in[1]} = ")]
    return "\n".join(lines[: made[-1]] if made else lines)


def needs(question: Question) -> str:
    """What must lie on the desk. A function that the package only checks is written by hand."""
    number_by_machine = not callable(EXERCISES[question.name].answer) and re.search(
        f"{OF_THE_PACKAGE.pattern}|{REPEATS.pattern}", code(question)
    )
    text = GLOSSED.sub("", question.text)
    if number_by_machine or OF_THE_PACKAGE.search(text) or re.search(r"\b(?:array|tuple)\b", text):
        return "With a computer."
    return "With the book." if OF_THE_BOOK.search(text) else "Closed book."


def powers_of_two(values: list[float]) -> bool:
    """Whether all are, and so small or so large that one would write them so."""
    return all(value > 0 and log2(value).is_integer() for value in values) and min(values) < 1e-3


def written(values: list[float]) -> list[str]:
    """Numbers as one would write them by hand, all in the same form: four digits that count, of a whole number all."""
    if powers_of_two(values):
        return [f"$2^{{{log2(value):.0f}}}$" for value in values]
    if 1e7 <= max(values) < inf:
        parts = [f"{value:.3e}".split("e") for value in values]
        return [rf"${float(front):g} \cdot 10^{{{int(power)}}}$" for front, power in parts]
    return [decimal(value) for value in values]


def decimal(value: float) -> str:
    """Four digits that count and no exponent, of a whole number all."""
    if value == inf:
        return "infinite"
    if value.is_integer():
        return f"{value:.0f}"
    return f"{value:.{max(3 - floor(log10(abs(value))), 0)}f}".rstrip("0").rstrip(".")


def choices(name: str, exercise: Exercise) -> list[tuple[str, str, str]]:
    """Right and usual wrong answers in an order of chance that stays: letter, value, and what the package says to it.

    Nothing is said to the right one.
    """
    given: Any = [(exercise.answer, ""), *exercise.mistakes]
    found = [(float(value), hint) for value, hint in given]
    Random(name).shuffle(found)
    texts, hints = written([value for value, _ in found]), [hint for _, hint in found]
    return list(zip(ascii_uppercase, texts, hints, strict=False))


def on_paper(question: Question) -> str:
    """Its text with what it needs, less what it says of the cell that checks it."""
    text = CHECKED.sub("", question.text)
    return re.sub(r"^\*\*Exercise .*?\)\.\*\*", rf"\g<0> *{needs(question)}*", text, count=1, flags=re.DOTALL)


def chosen(question: Question) -> str:
    """To which part of the question the choices belong, where it says so."""
    found = CHECKED.search(" ".join(question.text.split()))
    return f"*To choose:* {re.split(', not the proof|;', found[1])[0].rstrip('.')}.\n\n" if found else ""


def asked(question: Question) -> str:
    """The question as students see it."""
    exercise = EXERCISES[question.name]
    if callable(exercise.answer):
        return on_paper(question)
    offered = [f"- {letter}. {value}" for letter, value, _ in choices(question.name, exercise)]
    return on_paper(question) + "\n\n" + chosen(question) + "\n".join(offered)


def answered(question: Question) -> str:
    """Its answer, what each wrong choice shows, and the solution."""
    exercise = EXERCISES[question.name]
    if callable(exercise.answer):
        return on_paper(question) + "\n\n" + question.solution
    said = [f"- {letter}. {value}: {hint or '**right**'}" for letter, value, hint in choices(question.name, exercise)]
    return "\n".join([on_paper(question) + "\n", chosen(question) + "\n".join(said), "", question.solution])


def bank(chapters: Iterable[tuple[str, list[Question]]]) -> tuple[str, str]:
    """Two texts in Markdown: the questions of each chapter, by title, and the answers."""
    questions, answers = INTRODUCTION.format(title="Exam bank"), INTRODUCTION.format(title="Exam bank: answers")
    for title, found in chapters:
        if found:
            questions += "\n".join(["", f"## {title}", "", "\n\n".join(map(asked, found)), ""])
            answers += "\n".join(["", f"## {title}", "", "\n\n".join(map(answered, found)), ""])
    return questions, answers
