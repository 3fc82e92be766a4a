"""Answers of the chapter *One number for any activation*."""

from __future__ import annotations

import numpy as np

from ._exercise import Exercise

EXERCISES = {
    "act-square": Exercise(
        answer=2.0,
        mistakes=(
            (4.0, "That is the variance of the slope; divide by the variance of the value."),
            (4 / 3, "The variance of the value is asked for, not its mean square."),
            (1.0, "The factor of a degree k is k, not k - 1."),
            (0.0, "A parabola has no linear part, so nothing at all of the gradient agrees."),
        ),
        tolerance=1e-9,
    ),
    "act-leaky-index": Exercise(
        answer=lambda a: (1 - a) ** 2 / 4 / ((1 + a**2) / 2 - (1 - a) ** 2 / (2 * np.pi)),
        mistakes=(
            (
                lambda a: (1 - a) ** 2 / (2 * (1 + a**2)),
                "The variance of the value is asked for; a leaky rectifier has a mean.",
            ),
            (
                lambda a: (1 + a**2) / 2 / ((1 + a**2) / 2 - (1 - a) ** 2 / (2 * np.pi)),
                "That is the growth; take the square of the mean slope away.",
            ),
            (
                lambda a: (1 + a) ** 2 / (2 * (1 + a**2)),
                "That is the decay, the factor of one plain layer.",
            ),
            (
                lambda a: (1 - a) ** 2 / 4 / ((1 + a**2) / 2 - (1 + a) ** 2 / (2 * np.pi)),
                "To the left of zero the value is negative: what is the sign of its mean there?",
            ),
        ),
        points=((0.0,), (0.1,), (0.5,), (-1.0,)),
    ),
    "act-squared-relu": Exercise(
        answer=1.6 * (1 - 1 / np.pi),
        mistakes=(
            (1.6, "That is the growth: the mean square of the slope over the variance of the value."),
            (4 / 3 * (1 - 1 / np.pi), "That divides by the mean square of the value, not by its variance."),
            (0.4 * (1 - 1 / np.pi), "The slope of a square has a factor in front."),
            (2 - 2 / np.pi, "That is the variance of the slope; divide by that of the value."),
        ),
    ),
    "act-gelu-depth": Exercise(
        answer=83,
        mistakes=(
            (84, "The smallest depth: try one less."),
            (82, "At that depth the correlation is just above one tenth."),
            (48, "That solves the bare power; what stands in front of it?"),
            (4, "That is a plain network."),
        ),
        tolerance=1e-9,
    ),
    "act-sine-decay": Exercise(
        answer=lambda g: 1 / np.cosh(g**2),
        mistakes=(
            (lambda g: np.exp(-(g**2)), "Nearly, for large g: the square of the cosine has a mean of its own."),
            (lambda g: 2 * np.exp(-(g**2)) / (1 - np.exp(-2 * g**2)), "That is the mean square of the sine below."),
            (lambda g: g**2 * np.tanh(g**2 / 2), "That is the index; the factor of one plain layer is asked for."),
            (lambda g: 1 / np.cosh(g), "Nearly: how does the variance of g Z depend on g?"),
        ),
        points=((0.3,), (0.7,), (1.0,), (2.0,)),
    ),
    "act-inside": Exercise(
        answer=np.pi / (np.pi - 2),
        mistakes=(
            (np.pi / (2 * (np.pi - 1)), "That is the rectifier's own: which line takes the linear part away?"),
            (-0.5, "That is the line to add; the index is asked for."),
            (2.0, "That is the least it can be there; the rectifier has degrees beyond two."),
            ((np.pi - 2) / np.pi, "The other way up: the variance of the slope over that of the value."),
        ),
    ),
}
