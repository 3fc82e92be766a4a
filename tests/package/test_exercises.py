"""Every exercise of the book: the right answer, each usual mistake, and what is neither."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.font_manager import findfont
from matplotlib.ft2font import FT2Font

from shattered_lite.exercises import EXERCISES, Exercise, check
from shattered_lite.exercises._verdict import TOO_WIDE

BOOK = Path(__file__).parents[2] / "book"
NUMBER = Exercise(0.25, ((0.5, "Both gates must be open."), (0.75, "You counted the wrong side.")))
FUNCTION = Exercise(
    lambda depth: 0.5**depth,
    ((lambda depth: 0.75**depth, "That is with a skip."), (lambda depth: 0.5 ** (depth + 1), "Count the gates again.")),
    points=((1,), (5,), (np.arange(4),)),
)
ESTIMATES = Exercise(0.25, ((0.5, "Both gates must be open."), (1.0, "The gates are the same.")), measured=True)
ALL = {"a number": NUMBER, "a function": FUNCTION, "estimates": ESTIMATES} | EXERCISES
MISTAKES = [(name, which) for name, exercise in ALL.items() for which in range(len(exercise.mistakes))]


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EXERCISES, "a number", NUMBER)
    monkeypatch.setitem(EXERCISES, "a function", FUNCTION)
    monkeypatch.setitem(EXERCISES, "estimates", ESTIMATES)


def given(name: str, answer: Any) -> Any:
    """The answer as a reader gives it: where estimates are asked for, a hundred that scatter by a twentieth."""
    return answer * np.linspace(0.95, 1.05, 100) if ALL[name].measured else answer


@pytest.mark.parametrize("name", ALL)
def test_the_right_answer_is_right(name: str, capsys: pytest.CaptureFixture) -> None:
    check(name, given(name, ALL[name].answer))
    assert capsys.readouterr().out == "Right.\n"


@pytest.mark.parametrize(("name", "which"), MISTAKES)
def test_each_mistake_gets_its_own_hint(name: str, which: int, capsys: pytest.CaptureFixture) -> None:
    """So no mistake is within the tolerance of the answer, nor of a mistake before it."""
    mistake, hint = ALL[name].mistakes[which]
    check(name, given(name, mistake))
    assert capsys.readouterr().out == f"Not yet. {hint}\n"


@pytest.mark.parametrize("name", ALL)
def test_no_answer_yet(name: str, capsys: pytest.CaptureFixture) -> None:
    check(name, None)
    assert capsys.readouterr().out.startswith("No answer yet")


@pytest.mark.parametrize("name", ALL)
def test_an_exercise_is_well_made(name: str) -> None:
    exercise = ALL[name]
    assert exercise.mistakes
    assert bool(exercise.points) == callable(exercise.answer)
    assert all(callable(mistake) == callable(exercise.answer) for mistake, _ in exercise.mistakes)
    hints = [hint for _, hint in exercise.mistakes]
    assert all(hint.strip() == hint and hint[-1] in ".?!" for hint in hints)
    if not callable(exercise.answer) and float(exercise.answer) != int(exercise.answer):
        assert all(f"{float(exercise.answer):.3g}" not in hint for hint in hints)  # a hint that gives the answer away


def test_hints_are_written_to_be_read() -> None:
    """No formulas in the words of a program; and a font for terminals and notebooks has every sign."""
    hints = [hint for exercise in EXERCISES.values() for _, hint in exercise.mistakes]
    greek = "alpha|beta|gamma|epsilon|eta|theta|lambda|mu|pi|rho|sigma|phi|chi"
    assert [hint for hint in hints if re.search(rf"[\^_*]|sqrt|\b(?:{greek})\b", hint)] == []
    signs = {ord(sign) for hint in hints for sign in hint}
    assert signs <= set(FT2Font(findfont("DejaVu Sans Mono", fallback_to_default=False)).get_charmap())


def test_a_hint_arrives_as_it_is_written() -> None:
    """Even in a terminal that knows of no language. (A notebook's kernel sends text, whatever its signs.)"""
    hint = dict(EXERCISES["bn-half-depth"].mistakes)[300]
    assert "√(1 + β²L)" in hint
    ask = "from shattered_lite.exercises import check; check('bn-half-depth', 300)"
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    run = subprocess.run([sys.executable, "-c", ask], capture_output=True, check=True, env=environment)
    assert run.stdout.decode("utf-8").splitlines() == [f"Not yet. {hint}"]


@pytest.mark.parametrize("name", ALL)
def test_an_unusual_wrong_answer_is_wrong(name: str, capsys: pytest.CaptureFixture) -> None:
    check(name, (lambda *_: -1234.5678) if callable(ALL[name].answer) else given(name, -1234.5678))
    assert capsys.readouterr().out == "Not yet. That is none of the usual mistakes; try once more.\n"
    check(name, (lambda *_: np.nan) if callable(ALL[name].answer) else given(name, np.nan))
    assert capsys.readouterr().out.startswith("Not yet.")


def test_rounding_is_forgiven_and_no_more(capsys: pytest.CaptureFixture) -> None:
    for answer, printed in ((0.25 * 1.0049, "Right."), (0.25 * 1.0051, "Not yet."), (np.float32(0.25), "Right.")):
        check("a number", answer)
        assert capsys.readouterr().out.startswith(printed)


def test_unknown_names_and_wrong_kinds_are_named() -> None:
    with pytest.raises(ValueError, match=r"name='nonsense': choose one of 'a function', 'a number'"):
        check("nonsense", 1.0)
    with pytest.raises(ValueError, match=r"answer=0\.5: this exercise asks for a function"):
        check("a function", 0.5)
    with pytest.raises(ValueError, match=r"answer=<.*: this exercise asks for a number"):
        check("a number", lambda: 0.25)
    with pytest.raises(ValueError, match=r"answer='a quarter': this exercise asks for a number"):
        check("a number", "a quarter")


def test_the_book_asks_exactly_these() -> None:
    """Chapters and assignments together."""
    text = "".join(path.read_text() for path in sorted(BOOK.rglob("*.md")))
    asked = set(re.findall(r"exercises\.check\(\s*[\"']([^\"']+)[\"']", text))
    assert asked == set(EXERCISES) - {"a number", "a function", "estimates"}


def test_estimates_must_show_an_error_of_a_tenth(capsys: pytest.CaptureFixture) -> None:
    check("estimates", 0.25 * np.linspace(0, 2, 100))
    assert capsys.readouterr().out == f"Not yet. {TOO_WIDE}\n"


def test_estimates_that_no_network_tells_apart_are_known(capsys: pytest.CaptureFixture) -> None:
    """As when the same gates are open at both inputs: numerator and denominator are equal in every network."""
    variance = np.linspace(0.5, 1.5, 100)
    check("estimates", np.stack([variance, variance], 1))
    assert capsys.readouterr().out == "Not yet. The gates are the same.\n"


def test_what_are_no_estimates_is_refused() -> None:
    with pytest.raises(ValueError, match="3 replicates, but a standard error needs 10 or more"):
        check("estimates", [0.2, 0.3, 0.25])
    with pytest.raises(ValueError, match="they do not vary"):
        check("estimates", np.full(100, 0.25))
    with pytest.raises(ValueError, match="this exercise asks for estimates"):
        check("estimates", lambda: 0.25)
