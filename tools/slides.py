"""Decks of slides from ``book/course/lecture-*.md``, which reveal.js shows from disk.

A slide is a section. What only a lecture needs are three directives: ``vote`` asks a question whose wrong choices are
the usual wrong answers that the package knows, and answers it on the next slide; ``say`` is for the speaker, and knows
how many minutes the slide may take; ``plan`` adds them up.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import numpy as np
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from shattered_lite.exercises import EXERCISES
from tools.mathematics import mathjax_folder
from tools.site import ROOT

SOURCES = ROOT / "book" / "course"
SIZE = {"width": 1280, "height": 720}  # of a slide
Stage = tuple[int, int, str]  # of a lecture: first and last minute, and the title of the slide
WAIT = "A minute to think, alone; then all letters at once. Ask one voter of each letter why. The next slide answers."
# The window of the speaker has none of MathJax's own styles, which hide what a screen reader gets of a formula.
ONCE = "<style>.speaker-controls-notes mjx-assistive-mml { display: none }</style>"
CHOICE = re.compile(r"^- (?P<value>\S+)(?::: (?P<text>.+))?$")


class speech(nodes.Element, nodes.General):
    """What the speaker says, which the audience does not see."""


def hint(exercise: str, value: float) -> str | None:
    """What the package says to this wrong answer; None if it is right."""
    asked: Any = EXERCISES[exercise]
    if callable(asked.answer):
        raise ValueError(f"vote {exercise}: its answer is a function; a vote needs one that is a number")
    for other, said in [(asked.answer, None), *asked.mistakes]:
        if np.isclose(value, float(other), rtol=asked.tolerance, atol=0):
            return None if said is None else str(said)
    usual = ", ".join(f"{float(other):g}" for other, _ in asked.mistakes)
    raise ValueError(f"vote {exercise}: nobody is known to answer {value:g}; choose among {usual}")


def choices(exercise: str, lines: list[str]) -> list[tuple[str, str | None]]:
    """Each choice as it is read, and what the package says to it."""
    if exercise not in EXERCISES:
        raise ValueError(f"vote {exercise}: no such exercise")
    found = []
    for line in lines:
        match = CHOICE.match(line)
        if not match:
            raise ValueError(f"vote {exercise}: {line!r} is no choice; write '- 1/2' or '- 1/2:: as it is read'")
        found.append((match["text"] or match["value"], hint(exercise, float(Fraction(match["value"])))))
    if [said for _, said in found].count(None) != 1:
        raise ValueError(f"vote {exercise}: one choice must be right, {EXERCISES[exercise].answer:g}")
    return found


class plan(nodes.Element, nodes.General):
    """Stands where the plan will be."""


class Vote(SphinxDirective):
    """A question, its choices with a letter each; on the slide below, what to say to each."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """The choices come last, a line each."""
        [exercise] = self.arguments
        lines = list(self.content)
        first = next((number for number, line in enumerate(lines) if line.startswith("- ")), len(lines))
        offered = choices(exercise, lines[first:])
        asked, answered = [*lines[:first], ""], []
        for letter, (text, said) in zip(ascii_uppercase, offered, strict=False):
            asked.append(f"- **{letter}** {text}")
            answered.append(f"- **{letter}** {text}: **right.**" if said is None else f"- **{letter}** {text}. {said}")
        question = nodes.container("", *self.parse_text_to_nodes("\n".join(asked)), classes=["vote"])
        question += speech("", nodes.paragraph("", WAIT), minutes=0)
        answer = nodes.container("", *self.parse_text_to_nodes("\n".join(answered)), classes=["vote", "answer"])
        [between] = self.parse_text_to_nodes("```{revealjs-break}\n```")
        return [question, between, answer]


class Say(SphinxDirective):
    """Notes for the speaker; ``:minutes:`` is how long the slide may take, with those below it that state none."""

    has_content = True
    option_spec = {"minutes": directives.positive_int}

    def run(self) -> list[nodes.Node]:
        """The lecture's plan adds them up."""
        text = self.parse_text_to_nodes("\n".join(self.content))
        return [speech("", *text, minutes=self.options.get("minutes", 0))]


class Plan(SphinxDirective):
    """A line for each slide that takes time; the argument is what they must take together."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The slides are known only when all are read."""
        return [plan(minutes=int(self.arguments[0]))]


def timed(doctree: nodes.document) -> list[tuple[int, int, nodes.title]]:
    """First and last minute of each slide that takes time, and its title."""
    notes = [note for note in doctree.findall(speech) if note["minutes"]]
    ends = list(accumulate(note["minutes"] for note in notes))
    titles = [next(at for at in parents(note) if isinstance(at, nodes.section))[0] for note in notes]
    return list(zip([0, *ends], ends, titles, strict=False))


def stages(doctree: nodes.document) -> list[Stage]:
    """Each slide that takes time, its title as Markdown."""

    def markdown(title: nodes.title) -> str:
        return "".join(f"${part.astext()}$" if isinstance(part, nodes.math) else part.astext() for part in title)

    return [(first, last, markdown(title)) for first, last, title in timed(doctree)]


def parents(node: nodes.Node) -> Iterator[nodes.Node]:
    """The node's parents, the nearest first."""
    while node.parent is not None:
        node = node.parent
        yield node


def lay_plan(_app: Sphinx, doctree: nodes.document) -> None:
    """Put the list where it is asked for."""
    for place in list(doctree.findall(plan)):
        found = timed(doctree)
        taken = found[-1][1] if found else 0
        if taken != place["minutes"]:
            raise ValueError(f"plan {place['minutes']}: the slides take {taken} minutes")
        items = [
            nodes.list_item("", nodes.paragraph("", f"{first} to {last}: ", *(part.deepcopy() for part in title)))
            for first, last, title in found
        ]
        place.replace_self(nodes.bullet_list("", *items, classes=["plan"]))


def open_notes(translator: Any, _node: speech) -> None:
    """As reveal.js looks for them."""
    translator.body.append(f'<aside class="notes">{ONCE}')


def close_notes(translator: Any, _node: speech) -> None:
    """The end of them."""
    translator.body.append("</aside>")


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx call this module."""
    app.add_node(speech, revealjs=(open_notes, close_notes))
    app.add_node(plan)
    app.add_directive("vote", Vote)
    app.add_directive("say", Say)
    app.add_directive("plan", Plan)
    app.connect("doctree-read", lay_plan)
    return {"parallel_read_safe": True}


def build(work: Path, out: Path, figures: Path) -> dict[str, list[Stage]]:
    """Write the decks into ``out``; ``work`` is a folder for that, ``figures`` what ``tools.figure_files`` wrote.

    Returned is the plan of each.
    """
    sources = shutil.copytree(SOURCES, work / "sources")
    shutil.copytree(figures, sources / "figures")
    shutil.copytree(ROOT / "book" / "_static" / "drawings", sources / "drawings")
    for file in (mathjax_folder() / "tex-svg.js", ROOT / "book" / "_static" / "widgets.css"):
        shutil.copy(file, sources / "_static")
    settings = {
        "project": "Shattered gradients",
        "extensions": ["myst_parser", "sphinx.ext.mathjax", "sphinx_revealjs", "tools.slides", "tools.widgets"],
        "include_patterns": ["lecture-*.md"],
        "root_doc": "lecture-50",
        "myst_enable_extensions": ["colon_fence", "dollarmath"],
        "mathjax_path": "tex-svg.js",
        "mathjax3_config": {"options": {"menuOptions": {"settings": {"inTabOrder": False}}}},
        "revealjs_static_path": ["_static"],
        "revealjs_css_files": ["widgets.css", "slides.css"],
        "revealjs_style_theme": "white",
        "revealjs_script_conf": {
            "hash": True,
            "slideNumber": "c/t",
            "transition": "none",
            "navigationMode": "linear",  # every key that goes on goes to the next slide, be it beside or below
            **SIZE,
        },
        "revealjs_script_plugins": [{"src": "revealjs/plugin/notes/notes.js", "name": "RevealNotes"}],
    }
    app = Sphinx(sources, None, work / "html", work / "doctrees", "revealjs", settings, warningiserror=True)
    app.build()
    if app.statuscode:
        raise RuntimeError("the slides were not built; what Sphinx says is above")
    shutil.copytree(
        work / "html", out, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".buildinfo", "_sources", "objects.inv")
    )
    return {name: stages(app.env.get_doctree(name)) for name in sorted(app.env.found_docs)}
