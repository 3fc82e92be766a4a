"""Answer checks that know the usual wrong answers. Offline; the solutions' text is in the book."""

from __future__ import annotations

import numpy as np

from . import (
    any_activation,
    gradients_as_noise,
    highway,
    looks_linear,
    real_images,
    theorem_1,
    theorem_2,
    theorem_3,
    very_deep,
    who_is_active,
)
from .exercise import Answer, Exercise

EXERCISES: dict[str, Exercise] = {
    **gradients_as_noise.EXERCISES,
    **who_is_active.EXERCISES,
    **theorem_1.EXERCISES,
    **theorem_2.EXERCISES,
    **theorem_3.EXERCISES,
    **highway.EXERCISES,
    **any_activation.EXERCISES,
    **real_images.EXERCISES,
    **looks_linear.EXERCISES,
    **very_deep.EXERCISES,
}


def check(name: str, answer: Answer | None) -> None:
    """Say whether an answer is right and, if it is a usual wrong one, what to think about.

    Parameters
    ----------
    name : str
        The exercise, as its cell writes it.
    answer : float, callable or None
        The reader's answer; None while there is none yet.

    Raises
    ------
    ValueError
        If there is no such exercise, or a number is given where a function is asked for (or the reverse).
    """
    if name not in EXERCISES:
        raise ValueError(f"name={name!r}: choose one of {', '.join(map(repr, sorted(EXERCISES)))}")
    exercise = EXERCISES[name]
    if answer is None:
        print("No answer yet: put yours in place of None and run the cell again.")
        return
    if callable(answer) != callable(exercise.answer) or isinstance(answer, str):
        wanted = "a function" if callable(exercise.answer) else "a number"
        raise ValueError(f"answer={answer!r}: this exercise asks for {wanted}")
    if _same(answer, exercise.answer, exercise):
        print("Right.")
        return
    hints = [hint for mistake, hint in exercise.mistakes if _same(answer, mistake, exercise)]
    print("Not yet. " + (hints[0] if hints else "The solution below the exercise shows the way; try once more first."))


def _same(answer: Answer, other: Answer, exercise: Exercise) -> bool:
    if callable(answer) and callable(other):
        pairs = [(answer(*point), other(*point)) for point in exercise.points]
    else:
        pairs = [(answer, other)]
    return all(
        np.shape(a) == np.shape(b)
        and np.allclose(np.asarray(a, float), np.asarray(b, float), rtol=exercise.tolerance, atol=0)
        for a, b in pairs
    )
