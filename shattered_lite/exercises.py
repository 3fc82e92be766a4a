"""Answer checks that know the usual wrong answers. Offline; the solutions' text is in the book."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

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
    """

    answer: Answer
    mistakes: tuple[tuple[Answer, str], ...]
    points: tuple[tuple[Any, ...], ...] = ()
    tolerance: float = 5e-3


EXERCISES: dict[str, Exercise] = {}


# Chapter: Gradients as noise
def _clock(x: float) -> float:
    return float((np.arctan(x) + x / (1 + x**2)) / np.pi)


EXERCISES |= {
    "noise-kinks": Exercise(
        answer=400 / np.pi * np.arctan(2),
        mistakes=(
            (200, "All of them? A kink is at -b/v, and v is often small."),
            (200 / np.pi * np.arctan(2), "That is the share between 0 and 2; kinks lie on both sides of zero."),
            (200 * 0.9545, "b/v is not normal: what is the law of a ratio of two independent standard normals?"),
            (400 * _clock(2), "The clock weighs each kink by the square of its jump; here each counts once."),
        ),
    ),
    "noise-clock": Exercise(
        answer=lambda x, y, s: 1 - abs(_clock(x / s) - _clock(y / s)),
        mistakes=(
            (lambda x, y, s: 1 - abs(_clock(x) - _clock(y)), "Where is s? Ask at which x a unit switches."),
            (lambda x, y, s: 1 - abs(_clock(x * s) - _clock(y * s)), "Larger biases push the kinks outwards, not inwards."),
            (
                lambda x, y, s: 1 - abs(np.arctan(x / s) - np.arctan(y / s)) / np.pi,
                "That counts kinks; the covariance weighs each by the square of its jump.",
            ),
        ),
        points=((0.5, 1.5, 0.5), (-1.0, 0.3, 2.0), (0.0, 1.0, 0.1)),
    ),
    "noise-halving": Exercise(
        answer=2 * np.log(2) / np.log(np.pi / (np.pi - 1)),
        mistakes=(
            (np.log(2) / np.log(np.pi / (np.pi - 1)), "pi/(pi - 1) multiplies 1 - c. How does 1 - c depend on a distance?"),
            (1, "One layer does not halve the correlation length. By which factor does it shrink?"),
        ),
    ),
    "noise-half-depth": Exercise(
        answer=15,
        mistakes=(
            (14, "Close: look again at what is still above one half."),
            (16, "Close: does the depth before this one not do it already?"),
            (4, "Did you use 64 points, or lag 10? The grid has 256 points, and the lag is 1."),
        ),
    ),
    "noise-leaky": Exercise(
        answer=lambda a: (1 + a**2) / (1 + a**2 - (1 - a) ** 2 / np.pi),
        mistakes=(
            (lambda a: 1 + 0 * a, "Without centring, yes. What does centring take from the variance?"),
            (lambda a: np.pi / (np.pi - 1) + 0 * a, "That is the rectifier, a = 0. What are E[phi] and E[phi^2] for other a?"),
            (
                lambda a: (1 + a**2) / (1 + a**2 - (1 + a) ** 2 / np.pi),
                "At a = 1 the function is linear and its mean zero: check the sign of the part below zero in E[phi].",
            ),
            (
                lambda a: ((1 + a**2) / (1 + a**2 - (1 - a) ** 2 / np.pi)) ** 0.5,
                "That is the factor of the distance; 1 - c is its square.",
            ),
        ),
        points=((0.0,), (0.3,), (1.0,)),
    ),
}


# Chapter: Who is active with whom
EXERCISES |= {
    "co-activation at an angle": Exercise(
        answer=lambda theta: (np.pi - theta) / (2 * np.pi),
        mistakes=(
            (lambda theta: theta / (2 * np.pi), "That is the share on at the first input and off at the second."),
            (lambda theta: 1 - theta / np.pi, "You divided by one half: that is a conditional probability."),
            (
                lambda theta: (1 + np.cos(theta)) / 4,
                "Right at 0, 90 and 180 degrees, but a share of directions is linear in the angle.",
            ),
        ),
        points=((0.3,), (1.0,), (2.5,)),
    ),
    "depth of 0.45": Exercise(
        answer=22,
        mistakes=(
            (21, "The first entry of `cosines` enters gated layer 1, not layer 0."),
            (23, "One layer too many: which gated layer does entry 0 of `cosines` enter?"),
            (30, "The asymptote 3 pi / l alone is not accurate yet: run the recursion."),
        ),
    ),
    "three centred inputs": Exercise(
        answer=1 / 6,
        mistakes=(
            (0.25, "Gates of centred inputs are not independent: with three inputs their sum is zero."),
            (1 / 3, "Mind the sign: what is centred is negatively correlated."),
            (0.25 - np.arcsin(1 / 3) / (2 * np.pi), "The correlation is -1/(M - 1), not -1/M."),
        ),
    ),
    "run length of fair coins": Exercise(
        answer=lambda inputs: 2 * inputs / (inputs + 1),
        mistakes=(
            (lambda inputs: (inputs + 1) / 2, "That is the number of runs. How long are they on average?"),
            (lambda inputs: 2.0, "True of an endless row; the last run is cut off by the end of the row."),
            (
                lambda inputs: 2 * inputs / (inputs - 1),
                "You divided by the number of switches: how many runs do k switches make?",
            ),
        ),
        points=((2,), (10,), (256,)),
    ),
    "three at once": Exercise(
        answer=lambda a, b, c: 0.5 - (a + b + c) / (4 * np.pi),
        mistakes=(
            (
                lambda a, b, c: (np.pi - a) * (np.pi - b) * (np.pi - c) / (2 * np.pi) ** 3 * 8,
                "A pair's bits are not independent of the third's: use inclusion and exclusion.",
            ),
            (lambda a, b, c: 1 - (a + b + c) / (2 * np.pi), "All three equal is twice as likely as all three on."),
        ),
        points=((1.0, 1.2, 0.7), (np.pi / 2, np.pi / 2, np.pi / 2), (1.5, 1.5, 2.0)),
    ),
}

# Chapter: Looks linear
EXERCISES |= {
    "mirror": Exercise(
        answer=lambda weight: np.concatenate([weight, -weight], axis=1),
        mistakes=(
            (lambda weight: np.concatenate([weight, weight], axis=1), "Keeps every norm, but what is f(x) + f(-x)?"),
            (
                lambda weight: np.concatenate([-weight, weight], axis=1),
                "Linear, but it computes -Wz: which half holds the positive part?",
            ),
            (
                lambda weight: np.concatenate([weight, -weight], axis=0),
                "The gate doubles the inputs of the layer, not its outputs.",
            ),
            (
                lambda weight: np.concatenate([weight, -weight], axis=1) / np.sqrt(2),
                "Linear, but too short: the gate has kept the norm already.",
            ),
            (
                lambda weight: np.concatenate([weight, -weight], axis=1) * np.sqrt(2),
                "Linear, but too long: only a gate that drops half of the square needs that factor.",
            ),
        ),
        points=((np.array([[1.0, 2.0, -3.0], [0.5, -1.0, 4.0]]),),),
    ),
    "variance of mirrored weights": Exercise(
        answer=lambda width: 1 / width,
        mistakes=(
            (lambda width: 2 / width, "A factor 2 makes up for a gate that drops half of the square. Does this one?"),
            (lambda width: 1 / (2 * width), "There are 2N inputs, but what is the second half of the weights?"),
            (lambda width: 1 / np.sqrt(width), "That is the standard deviation."),
        ),
        points=((10,), (64,), (1000,)),
    ),
    "length of the logits": Exercise(
        answer=np.sqrt(10 / 64),
        mistakes=(
            (10 / 64, "That is the mean square: take the root."),
            (1.0, "True up to the last layer. What does a projection from 64 to 10 dimensions keep?"),
            (np.sqrt(64 / 10), "A projection does not lengthen."),
            (np.sqrt(10 / 128), "The last layer has 128 inputs, but it acts as W on 64 numbers."),
        ),
    ),
    "chain of sizes": Exercise(
        answer=lambda sizes: np.prod([min(1, b / a) for a, b in pairwise(sizes)]),
        mistakes=(
            (lambda sizes: sizes[-1] / sizes[0], "Widening does not make up for what narrowing loses."),
            (lambda sizes: min(1, sizes[-1] / sizes[0]), "Try (16, 64, 16): is going up and down again the identity?"),
            (
                lambda sizes: np.sqrt(np.prod([min(1, b / a) for a, b in pairwise(sizes)])),
                "The question is about the squared length.",
            ),
        ),
        points=(((16, 64, 16),), ((64, 64, 10),), ((8, 16, 32),), ((64, 32, 48, 12),)),
    ),
    "correlation kept by a slope": Exercise(
        answer=lambda a: (1 + a) ** 2 / (2 * (1 + a**2)),
        mistakes=(
            (lambda a: (1 + a) ** 2 / 4, "That multiplies the covariance. By how much does the variance change?"),
            (lambda a: (1 + a) / 2, "That is the mean slope; the covariance has the slopes of two inputs in it."),
            (lambda a: (1 + a**2) / 2, "That multiplies the variance."),
        ),
        points=((0.0,), (0.3,), (1.0,), (-0.5,)),
    ),
}


# Chapter: Theorem 1: plain networks
def _uncentred(depth: int, turn_first: bool = False) -> float:
    angle, correlation = np.pi / 2, 1.0
    for _ in range(depth):
        turned = float(np.arccos(min(1.0, (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / np.pi)))
        correlation *= 1 - (turned if turn_first else angle) / np.pi
        angle = turned
    return correlation


EXERCISES |= {
    "plain-coactive-paths": Exercise(
        answer=8,
        mistakes=(
            (512, "Those are all paths; which of them are open at both inputs?"),
            (64, "Those are the paths that are active at one input."),
            (6, "A path picks one unit in each layer: choices multiply."),
            (2, "That is one layer; the path passes three."),
        ),
        tolerance=1e-9,
    ),
    "plain-variance-one-over-n": Exercise(
        answer=2.0**-10,
        mistakes=(
            (1, "That is He's weight variance, 2/N."),
            (4.0**-10, "1/4 is the share of co-active units; the variance asks for one input."),
            (2.0**-9, "Count the gates: ten layers, ten factors."),
            (2.0**-5, "That is the standard deviation."),
        ),
    ),
    "plain-leaky-factor": Exercise(
        answer=lambda a: (1 + a) ** 2 / (2 * (1 + a**2)),
        mistakes=(
            (lambda a: (1 + a) ** 2 / 4, "That is the factor of the covariance, with N sigma^2 = 1; divide by that of the variance."),
            (lambda a: (1 + a) ** 2 / 2, "That is the factor of the covariance; the variance is no longer kept by 2/N."),
            (lambda a: (1 + a**2) / 2, "That is the mean square of the gain, which one input sees."),
            (lambda a: (1 + a) / 2, "That is the mean gain. Two inputs see its square, one input sees the mean square."),
        ),
        points=((0.0,), (0.1,), (0.5,), (1.0,)),
    ),
    "plain-kurtosis": Exercise(
        answer=1.02 * 1.05**50,
        mistakes=(
            (1.05**50, "Nearly: the weights after the last gate fluctuate too."),
            (1.02**51, "That is a network without gates; a gate adds to each factor."),
            (1.02 * 1.05, "That is one layer."),
            (1.02 + 50 * 0.05, "Factors multiply; they add up only while L/N is small."),
            (1.02 * 1.05**50 - 1, "That is the relative variance; the moment itself is asked for."),
        ),
    ),
    "plain-uncentred": Exercise(
        answer=_uncentred,
        mistakes=(
            (lambda depth: _uncentred(depth, turn_first=True), "The first factor belongs to the first angle, a right one."),
            (lambda depth: 0.5**depth, "That is Theorem 1: here the angle does not stay right."),
            (lambda depth: _uncentred(depth) / 2**depth, "The factor is 1 - theta/pi, twice the co-activation."),
        ),
        points=((1,), (2,), (5,), (20,)),
    ),
    "plain-memory-depth": Exercise(
        answer=15,
        mistakes=(
            (16, "The smallest depth: try one less."),
            (14, "The sum runs to L - 1, not to L."),
        ),
        tolerance=1e-9,
    ),
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
