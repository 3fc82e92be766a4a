"""Answers of the chapter *Diagnose your own network*."""

from __future__ import annotations

import numpy as np

from ._exercise import Exercise

EXERCISES = {
    "diagnose-layer": Exercise(
        answer=1 / 320,
        mistakes=(
            (1 / 128, "The rectifier halves the mean square, of the biases' share too."),
            (1 / 384, "What the biases put in goes through the next layers as well: sum the series."),
            (0.05590169943749474, "That is the size; the question is about the mean square."),
            (1 / 192, "That is the variance of a bias."),
        ),
    ),
    "diagnose-gates": Exercise(
        answer=lambda c, a: (1 + a**2) * (np.pi - np.arccos(c)) / (2 * np.pi) + a * np.arccos(c) / np.pi,
        mistakes=(
            (lambda c, _: (np.pi - np.arccos(c)) / (2 * np.pi), "A leaky rectifier passes something on either side."),
            (
                lambda c, a: (1 + a**2) * (np.pi - np.arccos(c)) / (2 * np.pi),
                "Where one is positive and the other negative, the product is a, not 0.",
            ),
            (lambda _, a: (1 + a**2) / 2, "That is the factor at one input."),
        ),
        points=((0.0, 0.1), (0.5, 0.3), (-0.4, 0.2)),
    ),
}
