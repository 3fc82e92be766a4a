"""Answers of the chapter *Training very deep networks*."""

from __future__ import annotations

import numpy as np
from scipy import stats

from ._exercise import Exercise

EXERCISES = {
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
