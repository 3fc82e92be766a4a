"""What is said to an answer, in two steps: its values, where it lives, and what they show, wherever that is asked."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from typing import Any

import numpy as np

from ..checks import Agreement, Disagreement, agrees
from ._exercise import Answer, Exercise

SMALLEST = 0.1  # an error that estimates must be able to show, as a part of what they estimate
TOO_WIDE = "Your estimates scatter so widely that an error of a tenth would not show. Take more networks."
UNKNOWN = "That is none of the usual mistakes; try once more."


def values(exercise: Exercise, answer: Any) -> list[Any]:
    """The numbers that an answer comes down to: itself, or what a function gives at each point."""
    wanted = "estimates" if exercise.measured else "a function" if callable(exercise.answer) else "a number"
    if callable(answer) != callable(exercise.answer) or isinstance(answer, str):
        raise ValueError(f"answer={answer!r}: this exercise asks for {wanted}")
    found = [answer(*point) for point in exercise.points] if callable(answer) else [answer]
    return [np.asarray(each, float).tolist() for each in found]


def verdict(exercise: Exercise, given: list[Any]) -> str:
    """``Right.``, or ``Not yet.`` with a hint."""
    if exercise.measured:
        outcome = _agreement(given[0], exercise.answer)
        if outcome:
            sharp = outcome.smallest_error <= SMALLEST * abs(outcome.prediction)
            return "Right." if sharp else f"Not yet. {TOO_WIDE}"
    elif _same(given, exercise.answer, exercise):
        return "Right."
    hints = [hint for mistake, hint in exercise.mistakes if _same(given, mistake, exercise)]
    return f"Not yet. {hints[0] if hints else UNKNOWN}"


def _same(given: list[Any], other: Answer, exercise: Exercise) -> bool:
    if exercise.measured:
        table = np.reshape(given[0], (len(given[0]), -1))
        exactly = table.shape[1] == 2 and np.array_equal(table[:, 0], other * table[:, 1])  # not one network differs
        return exactly or _agreement(given[0], other) is not None
    return all(
        np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=exercise.tolerance, atol=0)
        for a, b in zip(given, values(exercise, other), strict=True)
    )


def _agreement(estimates: Any, mean: Any) -> Agreement | None:
    """Silently; None if they disagree."""
    try:
        with redirect_stdout(io.StringIO()):
            return agrees(estimates, mean, "estimates")
    except Disagreement:
        return None
