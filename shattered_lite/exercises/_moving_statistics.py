"""Answers of the page *When the statistics move*."""

from __future__ import annotations

import numpy as np

from ._exercise import Exercise

MU = 1 - 1 / np.pi  # what a block adds to the variance, in units of beta^2
U_2 = 1 / (1 + MU)  # of the second block, for beta = 1 and many inputs

EXERCISES = {
    "bn-sample": Exercise(
        answer=43,
        mistakes=(
            (42, "Centring takes one dimension away: the mean is that of M - 1 degrees of freedom."),
            (41, "The mean of 1/χ² is 1/(n - 2), not 1/(n - 1)."),
            (40, "That is M - 3."),
            (23, "The excess is 2/(M - 3), not 1/(M - 3)."),
        ),
        tolerance=1e-9,
    ),
    "bn-full": Exercise(
        answer=1.5 / (1.5 + 0.5 * (1 + U_2)),
        mistakes=(
            (
                1.5 * (1 + U_2 / 2) / (2 * (1 + U_2)),
                "That is with frozen statistics, where the covariance grows too.",
            ),
            (1.5 / 2.5, "That is without the division by batch norm."),
            (1 / (1 + U_2), "The first block is not normalised: what does it do to the covariance?"),
            (1.5 / (1.5 + 0.5 * 1.5), "Real batch norm centres: a block adds less than 1 to the variance."),
            (1.5 / (2 * (1 + U_2)), "Only what differs between inputs passes a branch, not the whole variance."),
        ),
    ),
    "bn-first": Exercise(
        answer=1.0,
        mistakes=(
            (0.0, "Nothing enters a branch. What carries the tangent on?"),
            (1.5, "That is the covariance behind a first block without normalisation."),
            (2.0, "That is the variance behind a first block without normalisation."),
        ),
    ),
}
