"""Answers of the chapter *Training very deep networks*."""

from __future__ import annotations

import numpy as np
from scipy import stats

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
    "deep-angle": Exercise(
        answer=lambda depth: 2 * np.arccos(0.5 ** (1 / (2 * depth))),
        mistakes=(
            (lambda depth: np.arccos(0.5 ** (1 / (2 * depth))), "That is half of the angle."),
            (lambda depth: 2 * np.arccos(0.5 ** (1 / depth)), "Each layer multiplies by the square of a cosine."),
            (
                lambda depth: np.degrees(2 * np.arccos(0.5 ** (1 / (2 * depth)))),
                "In degrees; give it in radians.",
            ),
        ),
        points=((1,), (24,), (198,)),
    ),
    "deep-interval": Exercise(
        answer=stats.t.ppf(0.975, 2) / np.sqrt(3),
        mistakes=(
            (
                stats.norm.ppf(0.975) / np.sqrt(3),
                "That is for a spread that is known; here three runs estimate it.",
            ),
            (
                stats.t.ppf(0.975, 3) / np.sqrt(3),
                "Three runs, less one for their mean: how many degrees of freedom?",
            ),
            (stats.t.ppf(0.975, 2), "That is the interval for one run, not for the mean of three."),
            (stats.t.ppf(0.95, 2) / np.sqrt(3), "The 5 % outside lie half on each side."),
        ),
    ),
}
