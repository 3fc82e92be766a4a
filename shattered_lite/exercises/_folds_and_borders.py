"""Answers of the chapter *Fair cost, folds and borders*."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ._exercise import Exercise

EXERCISES = {
    "deep-width": Exercise(
        answer=np.sqrt(3 / 2),
        mistakes=(
            (3 / 2, "That is the ratio of the costs. Cost grows with the square of the width."),
            (np.sqrt(2 / 3), "Which of the two networks is narrower?"),
            (2 / 3, "Cost grows with the square of the width; and which of the two networks is narrower?"),
            (
                np.sqrt(3),
                "Compare it with the concatenated network, not with the rectifier network.",
            ),
            (np.sqrt(2), "That is a rectifier network against a concatenated one."),
        ),
    ),
    "deep-folds": Exercise(
        answer=lambda folds: 0.5**folds,
        mistakes=(
            (lambda folds: 0.25**folds, "A fold makes four channels of one; how many does the next layer leave?"),
            (lambda folds: 0.5 ** (folds / 2), "The question is about the squared norm."),
            (lambda folds: 0.5 ** (folds + 1), "Count the folds, not the stages."),
            (
                lambda folds: 1.0 + 0 * folds,
                "A fold loses nothing, but look at the layer behind it.",
            ),
        ),
        points=((1,), (2,), (5,)),
    ),
    "linear-chain": Exercise(
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
    "deep-border": Exercise(
        answer=lambda side: ((1 + 2 * np.cos(np.pi / (side + 1))) / 3) ** 2,
        mistakes=(
            (lambda side: (1 + 2 * np.cos(np.pi / (side + 1))) / 3, "An image has rows and columns."),
            (
                lambda side: ((3 * side - 2) / (3 * side)) ** 2,
                "That is the share of taps inside for an image that is even everywhere. Does it stay even?",
            ),
            (
                lambda side: (1 + 2 * np.cos(np.pi / (side + 1))) ** 2 / 18,
                "Half of the square is dropped by the gate, and He's weights give it back.",
            ),
        ),
        points=((1,), (2,), (4,), (16,)),
    ),
}
