"""Answers of the chapter *Many shallow paths*."""

from __future__ import annotations

import numpy as np

from ._exercise import Exercise

EXERCISES = {
    "path-mean": Exercise(
        answer=8.0,
        mistakes=(
            (10.0, "The share of a branch is β²/(1 + β²)."),
            (20.0, "Half of the blocks are crossed with β = 1 only."),
            (40 * 0.5 / 1.5, "Variances add, so β enters with its square."),
            (40 / 9, "That is the mean over the covariance of two inputs."),
        ),
    ),
    "path-none": Exercise(
        answer=lambda L: 1 / (L + 1),
        mistakes=(
            (lambda L: 0.5**L, "That is without batch norm. With it the tosses are not alike."),
            (lambda L: 1 / L, "The first block is tossed, too: how many factors does the product have?"),
            (lambda L: 1 - 1 / (L + 1), "That is the share of all other paths."),
            (lambda L: (L + 1) ** -0.5, "The question is about the variance."),
        ),
        points=((1,), (4,), (32,)),
    ),
    "path-half": Exercise(
        answer=0.5,
        mistakes=(
            (1.0, "The mean grows like a logarithm, not like the number of blocks."),
            (2.0, "The other way round: few early blocks make up half of it."),
            (1 / np.e, "Half of a logarithm is the logarithm of a root."),
        ),
    ),
    "path-poisson": Exercise(
        answer=lambda c: np.exp(-(c**2) / 2),
        mistakes=(
            (lambda c: np.exp(-(c**2)), "That is the share of the path without a branch."),
            (lambda c: np.exp(-c / 2), "The mean of K is the square of c."),
            (lambda c: 2.0 ** -(c**2), "The mean of a power is not the power of the mean."),
        ),
        points=((0.5,), (1.0,), (2.0,)),
    ),
}
