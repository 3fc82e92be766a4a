"""Answers of the theory assignment: gates that are open with a probability of their own."""

from __future__ import annotations

import numpy as np

from ._exercise import Exercise


def _beta(share: float) -> float:
    return float(np.sqrt(share / (1 - share)))


EXERCISES = {
    "gates-variance": Exercise(
        answer=lambda q, width: 1 / (q * width),
        mistakes=(
            (lambda _, width: 2 / width, "That is right for fair coins. How many of the paths are open now?"),
            (lambda _, width: 1 / width, "Then each gate takes a part 1 - q of the variance away."),
            (lambda q, width: 1 / (q**2 * width), "The variance asks for one input, so each gate counts once."),
            (lambda q, width: q / width, "The fewer gates are open, the larger the weights must be."),
        ),
        points=((0.5, 100), (0.3, 50), (0.9, 7)),
    ),
    "gates-plain": Exercise(
        answer=lambda q, depth: q**depth,
        mistakes=(
            (lambda _, depth: 0.5**depth, "That is for fair coins, q = 1/2."),
            (
                lambda q, depth: q ** (2 * depth),
                "That is how often a path is open at both; divide by that at one.",
            ),
            (lambda q, depth: q ** (depth - 1), "Count the gates: L layers, L gates."),
            (lambda q, depth: (1 - q) ** depth, "That is the probability to be shut."),
        ),
        points=((0.5, 4), (0.3, 3), (0.9, 10)),
    ),
    "gates-residual": Exercise(
        answer=lambda q, depth: ((1 + q) / 2) ** depth,
        mistakes=(
            (lambda _, depth: 0.75**depth, "That is for fair coins, q = 1/2."),
            (lambda q, depth: (1 + q) ** depth, "That is the covariance. By how much does the variance grow?"),
            (lambda q, depth: q**depth, "That is without the skip."),
            (
                lambda q, depth: ((1 + q**2) / 2) ** depth,
                "What the branch brings to the covariance holds σ² as well.",
            ),
            (
                lambda q, depth: ((1 + q**2) / (1 + q)) ** depth,
                "What the branch brings to the variance holds σ² as well.",
            ),
        ),
        points=((0.5, 4), (0.3, 3), (0.9, 10)),
    ),
    "gates-alternate": Exercise(
        answer=(3 / 8) ** 5,
        mistakes=(
            ((3 / 8) ** 10, "There are five layers of each kind, not ten."),
            ((5 / 8) ** 10, "Factors multiply: a mean of the two is not what a pair of layers does."),
            ((3 / 4) ** 5, "The five layers without a skip have gates too."),
            ((1 / 2) ** 5, "The five layers with a skip lose something too."),
            ((3 / 4) ** 10, "Every second layer has no skip."),
        ),
    ),
    "gates-beta": Exercise(
        answer=lambda q, depth, kept: _beta((1 - kept ** (1 / depth)) / (1 - q)),
        mistakes=(
            (lambda _, depth, kept: _beta(2 * (1 - kept ** (1 / depth))), "That is for fair coins, q = 1/2."),
            (
                lambda q, depth, kept: _beta((1 - kept ** (1 / depth)) / (1 - q)) ** 2,
                "That is the square of β.",
            ),
            (
                lambda q, depth, kept: np.sqrt((1 - kept ** (1 / depth)) / (1 - q)),
                "You have the root of the branch's share w. How does w depend on β?",
            ),
            (
                lambda _, depth, kept: _beta(1 - kept ** (1 / depth)),
                "A branch keeps a part q of its covariance; it does not lose all of it.",
            ),
            (
                lambda q, depth, kept: _beta((1 - kept) / (1 - q) / depth),
                "Nearly, if little is lost; the question asks for every r.",
            ),
        ),
        points=((0.5, 10, 0.5), (0.3, 20, 0.5), (0.8, 5, 0.9)),
    ),
}
