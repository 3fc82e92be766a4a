"""Answers of the chapter *Training very deep networks*."""

from __future__ import annotations

import numpy as np
from scipy import stats

from ._exercise import Exercise

EXERCISES = {
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
    "deep-shuffles": Exercise(
        answer=1 / 20,
        mistakes=(
            (0.0, "The ranking observed is one of the possible ones, too: it counts."),
            (1 / 19, "Count the ranking observed above the line and below it."),
            (1 / 5_040, "That is the share of one ranking of seven among all; fewer are tried here."),
        ),
    ),
    "deep-ladder": Exercise(
        answer=np.sqrt(3),
        mistakes=(
            (3.0, "The best may lie between two rungs. How far is it from the nearer one, at most?"),
            (1.5, "On a ladder of factors the middle is not the mean of the two."),
            (np.sqrt(6), "That is a ladder of factors of six."),
            (1 / np.sqrt(3), "As a factor above 1."),
        ),
    ),
    "deep-guess": Exercise(
        answer=lambda classes: np.log(classes),
        mistakes=(
            (lambda classes: np.log2(classes), "Cross-entropy is in natural logarithms here."),
            (lambda classes: 1 / classes, "That is the accuracy. What does the loss charge for it?"),
            (lambda classes: -np.log(1 - 1 / classes), "That charges for the classes that are wrong."),
            (lambda classes: np.log(classes) / classes, "Every image is charged, not one in so many."),
        ),
        points=((2,), (10,), (1_000,)),
    ),
}
