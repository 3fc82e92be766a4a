"""What an exercise is: its answer, and the wrong answers one expects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Answer = float | Callable[..., Any]


@dataclass(frozen=True)
class Exercise:
    """What is right, and what goes wrong.

    Attributes
    ----------
    answer : float or callable
        The right number, or a function that computes the right values.
    mistakes : tuple of (float or callable, str)
        Usual wrong answers, of the same kind, each with a hint that does not give the answer away.
    points : tuple of tuple
        Arguments at which functions are compared.
    tolerance : float
        Relative difference that still counts as the same: rounding of what a reader types.
    measured : bool
        Whether independent estimates are handed in, as ``checks.agrees`` takes them, whose mean must be the answer.

    Examples
    --------
    >>> len(sl.exercises.EXERCISES["noise-kinks"].mistakes)
    4
    """

    answer: Answer
    mistakes: tuple[tuple[Answer, str], ...]
    points: tuple[tuple[Any, ...], ...] = ()
    tolerance: float = 5e-3
    measured: bool = False
